"""Who hears whom: each phone sends a tone of its own, and says what reaches it."""

import asyncio
from collections.abc import Iterable, Mapping

from phones.control import Phone
from phones.sound import voices

TRIES = 6  # of a second each: where a machine has other work, pieces of sound are late or lost


async def until_hearing(phones: Mapping[int, Phone], wanted: Mapping[int, set[int]]) -> None:
    """Listens at these phones until, for a whole second, each of them hears those others and nobody else."""
    for _ in range(TRIES):
        heard = await asyncio.gather(*(phones[one].listen() for one in wanted))
        hearing = {one: voices(samples, phones) for one, samples in zip(wanted, heard, strict=True)}
        if hearing == wanted:
            return
    assert hearing == wanted


async def call(phones: Mapping[int, Phone], one: int, other: int) -> None:
    """One phone calls the other, past the queues; returns when they talk."""
    for phone in (phones[one], phones[other]):
        phone.forget()
    await phones[one].dial(str(other))
    await phones[other].wait_for("CALL_INCOMING", where=lambda event: f":{one}@" in event.peer)
    await phones[other].answer()
    for phone in (phones[one], phones[other]):
        await phone.wait_for("CALL_ESTABLISHED")


async def hang_up(phones: Mapping[int, Phone], those: Iterable[int]) -> None:
    for one in those:
        await phones[one].hangup()
        await phones[one].wait_until_idle()
