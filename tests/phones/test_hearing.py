import asyncio
import os
import stat

from phones.hearing import KEPT, PIPE, Hearing, samples_of
from tests.helpers import until


def as_bytes(*samples):
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)


async def test_what_is_played_into_the_pipe_is_heard_call_after_call(tmp_path):
    with Hearing(tmp_path / "1001") as hearing:
        for call in (1, 2):
            with (tmp_path / "1001" / PIPE).open("wb") as player:
                player.write(as_bytes(call, -call))
            await until(lambda call=call: hearing.count == 2 * call)
        assert samples_of(hearing.to_message()) == (4, [1, -1, 2, -2])


async def test_the_pipe_is_for_nobody_else_and_gone_afterwards(tmp_path):
    pipe = tmp_path / "1001" / PIPE
    with Hearing(tmp_path / "1001"):
        assert stat.S_IMODE(os.stat(pipe).st_mode) == 0o600
        assert stat.S_ISFIFO(os.stat(pipe).st_mode)
    assert not pipe.exists()


async def test_a_player_never_waits_for_a_listener(tmp_path):
    with Hearing(tmp_path / "1001"):
        async with asyncio.timeout(5):
            await asyncio.to_thread((tmp_path / "1001" / PIPE).write_bytes, as_bytes(*[0] * 100_000))


def test_only_the_last_two_seconds_are_kept(tmp_path):
    hearing = Hearing(tmp_path)
    hearing.take(as_bytes(*[1] * KEPT))
    hearing.take(as_bytes(2, 3))
    count, samples = samples_of(hearing.to_message())
    assert (count, len(samples), samples[-3:]) == (KEPT + 2, KEPT, [1, 2, 3])
