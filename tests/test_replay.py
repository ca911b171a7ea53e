"""acd replay: the past as the log tells it."""

import json
from pathlib import Path

import pytest

from acd.__main__ import main
from acd.core import events as ev
from acd.store import Store
from tests.core.desk import START, Desk


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = tmp_path / "acd.toml"
    config.write_text(f'[handlers.main]\nsecret = "x"\n[store]\nurl = "sqlite:///{tmp_path}/acd.db"\n')
    return config


class Diary(Desk):
    """A desk that keeps what happened in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        super().__init__()

    def apply(self, event: ev.Event | None):
        if event is not None:
            self.store.append("main", event)
        return super().apply(event)


@pytest.fixture
def day(config: Path) -> Diary:
    """Logged on at 0, a caller waits from 10, is answered at 20, hangs up at 50; link lost 100 to 200."""
    store = Store(f"sqlite:///{config.parent}/acd.db")
    store.open()
    desk = Diary(store)
    desk.agent()
    desk.after(10).join()
    desk.ring()
    desk.after(10).answer()
    desk.after(30).hang_up()
    desk.after(50).apply(ev.LinkLost(desk.now, "cut"))
    desk.now = START + 200
    desk.apply(ev.CallerJoined(START + 120, "c2", "support", 1, "556", ""))  # read afterwards
    desk.apply(ev.ExitRead(START + 140, "c2", "support", "abandoned"))
    desk.link()
    store.close()
    return desk


def shown(config: Path, after: float, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["replay", "--config", str(config), "--at", str(START + after), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (5, (True, "READY", "READY", [], 0)),
        (15, (True, "READY", "READY", ["c1"], 0)),
        (30, (True, "BUSY_ACD", "BUSY_ON_CALL", [], 1)),
        (55, (True, "BUSY_ACD", "BUSY_WRAPUP", [], 1)),
        (90, (True, "READY", "READY", [], 1)),
        (110, (False, "UNKNOWN", "READY", [], 1)),
        (130, (False, "UNKNOWN", "READY", ["c2"], 1)),
        (250, (True, "READY", "READY", [], 1)),
    ],
)
def test_a_moment_is_shown_as_it_was(config, day, capsys, after, expected):
    linked, agent, session, waiting, answered = expected
    picture = shown(config, after, capsys)
    queue = next(queue for queue in picture["queues"] if queue["name"] == "support")
    assert picture["linked"] is linked
    assert [each["state"] for each in picture["agents"]] == [agent]
    assert [each["state"] for each in picture["sessions"]] == [session]
    assert [caller["call"] for caller in queue["waiting"]] == waiting
    assert queue["total_calls_answered"] == answered


def test_the_table_names_agent_queue_and_caller(config, day, capsys):
    assert main(["replay", "--config", str(config), "--at", str(START + 15)]) == 0
    text = capsys.readouterr().out
    for word in ("linked to Asterisk", "user 1001", "PJSIP/1001", "support", "waiting in", "555"):
        assert word in text


@pytest.mark.parametrize("words", [["--at", "never"], [], ["--at", "1", "--handler", "other"]])
def test_what_cannot_be_shown_is_said(config, day, capsys, words):
    try:
        status = main(["replay", "--config", str(config), *words])
    except SystemExit as usage:
        status = usage.code
    assert status in (1, 2)
    assert capsys.readouterr().err


def test_a_database_that_is_not_there_is_said(tmp_path, capsys):
    config = tmp_path / "acd.toml"
    config.write_text(f'[handlers.main]\nsecret = "x"\n[store]\nurl = "sqlite:///{tmp_path}/no/acd.db"\n')
    assert main(["replay", "--config", str(config), "--at", "1"]) == 1
    assert "cannot be read" in capsys.readouterr().err
