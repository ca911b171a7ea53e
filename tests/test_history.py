"""What Asterisk's files tell of an absence: from the mark on, each thing once, also over a restart."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from acd import history
from acd.asterisk.log_files import LogFile
from acd.core import events as ev
from acd.core.records import State, Visit
from acd.core.states import Outcome
from acd.history import Files, History
from acd.store import Store
from tests.helpers import until

EARLY, NOW = 1_000_000_250.0, 1_000_000_600.0


class Site:
    """Asterisk's two files, and a store."""

    def __init__(self, folder: Path) -> None:
        self.files = Files(folder / "queue_log", folder / "cel.csv")
        self.store = Store(f"sqlite:///{folder}/acd.db")
        self.write("099|NONE|NONE|NONE|QUEUESTART|")
        self.cel("CHAN_START", 1.0, "old", "PJSIP/1001-1")

    def write(self, *texts: str) -> None:
        assert self.files.queue_log is not None
        with self.files.queue_log.open("a") as file:
            file.writelines(f"1000000{text}\n" for text in texts)

    def cel(self, kind: str, at: float, leg: str, channel: str) -> None:
        assert self.files.cel is not None
        with self.files.cel.open("a") as file:
            file.write(f'"{kind}","{1_000_000_000 + at}","{leg}","{leg}","{channel}",""\n')

    def history(self) -> History:
        return History(self.files, "main", self.store)

    async def missed(self, history: History, until: float = NOW) -> list[ev.Event]:
        found = [event async for event in history.missed(State(), (), until)]
        await self.store.written()
        return found

    async def linked(self) -> History:
        """Asterisk has been heard until EARLY."""
        history = self.history()
        assert await self.missed(history, EARLY) == []
        return history


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    site.store.open()
    yield site
    site.store.close()


A_CALL = ("300|c1|support|NONE|ENTERQUEUE||555|1", "304|c1|support|NONE|ABANDON|1|1|4")


async def test_what_was_before_the_first_start_is_not_read(site):
    assert await site.missed(site.history()) == []


async def test_an_absence_is_read_once(site):
    history = await site.linked()
    site.write(*A_CALL)
    assert [type(event) for event in await site.missed(history)] == [ev.CallerJoined, ev.ExitRead]
    assert await site.missed(history) == []


async def test_a_restart_goes_on_where_asterisk_was_heard_last(site):
    await site.linked()
    site.write(*A_CALL)
    assert len(await site.missed(site.history())) == 2
    assert await site.missed(site.history()) == []


async def test_what_is_heard_is_marked_one_answer_later_and_not_read_again(site):
    history = await site.linked()
    site.write(*A_CALL)
    await history.is_heard(1_000_000_305.0)
    await history.is_heard(1_000_000_308.0)  # all that was written before the first answer has been heard
    assert await site.missed(history) == []


async def test_a_visit_that_is_known_is_not_told_again(site):
    history = await site.linked()
    site.write(*A_CALL)
    visit = Visit("c1/support/1", "c1", "support", 1, "555", "", 1_000_000_300.2, left=1_000_000_304.1)
    visit.outcome = Outcome.ABANDONED
    history.moved(visit)
    assert await site.missed(history) == []


async def test_a_row_of_the_ledger_is_not_told_again_after_a_restart(site):
    await site.linked()
    site.write(*A_CALL)
    visit = Visit("c1/support/1", "c1", "support", 1, "555", "", 1_000_000_300.2, left=1_000_000_304.1)
    visit.outcome = Outcome.ABANDONED
    site.store.keep_call("main", visit)
    await site.store.written()
    assert await site.missed(site.history()) == []


async def test_a_channel_is_told_with_its_exact_times_unless_it_was_heard_to_end(site):
    history = await site.linked()
    for leg in ("new", "heard"):
        site.cel("CHAN_START", 300.25, leg, "PJSIP/1001-2")
        site.cel("BRIDGE_ENTER", 301.5, leg, "PJSIP/1001-2")
        site.cel("CHAN_END", 309.75, leg, "PJSIP/1001-2")
    history.took(ev.ChannelEnded(1_000_000_309.75, "heard", True))
    assert await site.missed(history) == [
        ev.ChannelMade(1_000_000_300.25, "new", "PJSIP/1001-2", "new", True),
        ev.BridgeEntered(1_000_000_301.5, "new", ""),
        ev.ChannelEnded(1_000_000_309.75, "new", True),
    ]


async def test_a_channel_that_ended_before_a_restart_is_not_told_again(site):
    await site.linked()
    site.cel("CHAN_START", 299.5, "heard", "PJSIP/1001-2")
    site.cel("CHAN_END", 300.5, "heard", "PJSIP/1001-2")
    site.store.append("main", ev.ChannelEnded(1_000_000_300.5, "heard", True))
    await site.store.written()
    assert await site.missed(site.history()) == []


async def test_how_a_caller_left_is_read_from_queue_log_alone(site):
    history = await site.linked()
    site.write(*A_CALL)
    site.cel("CHAN_START", 300.0, "c1", "PJSIP/trunk-1")
    site.cel("CHAN_END", 304.0, "c1", "PJSIP/trunk-1")
    assert [type(event) for event in await site.missed(history)] == [ev.CallerJoined, ev.ExitRead]


async def test_a_channel_made_again_after_it_was_read_to_end_is_known(site):
    history = site.history()
    history.took(ev.ChannelEnded(NOW, "ended", True))
    assert history.has_told(ev.ChannelMade(NOW, "ended", "PJSIP/1001-2", "ended", True))
    assert not history.has_told(ev.ChannelMade(NOW, "another", "PJSIP/1001-3", "another", True))


async def test_files_that_cannot_be_read_leave_the_absence_unknown_and_are_told(site, tmp_path, caplog):
    history = History(Files(tmp_path / "nowhere" / "queue_log", None), "main", site.store)
    assert await site.missed(history) == []
    assert "cannot be read at present" in caplog.text


class Stuck:
    """A disk that does not answer until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = threading.Event()
        monkeypatch.setattr(history, "LOOK_WITHIN", 0.05)
        monkeypatch.setattr(history, "READ_WITHIN", 0.05)
        for name in ("end", "problem"):
            real = getattr(LogFile, name)
            monkeypatch.setattr(LogFile, name, lambda file, real=real: self.free.wait(30) and real(file))


@pytest.fixture
def stuck(site, monkeypatch) -> Iterator[Stuck]:
    stuck = Stuck(monkeypatch)
    yield stuck
    stuck.free.set()


async def test_a_disk_that_does_not_answer_holds_up_neither_the_start_nor_a_log_in_nor_the_pings(site, stuck, caplog):
    found = site.history()
    assert "its disk does not answer" in caplog.text
    assert await site.missed(found) == []
    await found.is_heard(NOW + 3)
    await found.is_heard(NOW + 6)
    assert found.mark.at == NOW + 3


async def test_a_file_whose_disk_answers_again_is_read_on_from_where_it_was(site, monkeypatch):
    found = await site.linked()
    stuck = Stuck(monkeypatch)
    before = found.mark
    await found.is_heard(EARLY + 3)
    await found.is_heard(EARLY + 6)
    assert (found.mark.at, found.mark.queue_log) == (EARLY + 3, before.queue_log)
    stuck.free.set()
    await until(found._looking.done)
    site.write(*A_CALL)
    assert len(await site.missed(found)) == 2


async def test_other_work_goes_on_while_a_long_absence_is_read(site):
    await site.linked()
    for number in range(1000):
        site.write(f"300|c{number}|support|NONE|ENTERQUEUE||555|1", f"304|c{number}|support|NONE|ABANDON|1|1|4")
    breaths = 0

    async def breathe() -> None:
        nonlocal breaths
        while True:
            breaths += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(breathe())
    assert len(await site.missed(site.history())) == 2000
    task.cancel()
    assert breaths >= 2 * 2000 / history.AT_ONCE
