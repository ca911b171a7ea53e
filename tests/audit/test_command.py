"""acd audit as a command: which calls it takes, what it prints, how it ends, and what it reads."""

import gzip
import json
import os
import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.audit.books import END, START, Books

WHY = "acd: "


def test_it_ends_with_0_1_or_2(books: Books):
    books.answered()
    assert books.text()[0] == 0
    books.rows[0]["talk_time"] += 2
    assert books.text()[0] == 1
    assert books.text("--handler", "other")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--handler", "other"), "there is no handler 'other' in the settings"),
        (("--queue-log", "/no/such/queue_log"), "/no/such/queue_log: holds no line"),
        (("--from", str(START + 9), "--to", str(START + 9)), "before it begins"),
        (("--from", "2023-11-15", "--to", "2023-11-14"), "before it begins"),
        (("--from", str(END + 100)), "acd has heard Asterisk until 2023-11-15T00:59:57.000Z only"),
        (("--api", "http://127.0.0.1:9"), "http://127.0.0.1:9 cannot be reached"),
    ],
)
def test_what_cannot_be_audited_is_one_sentence(books: Books, arguments, said, monkeypatch):
    monkeypatch.setenv("ACD_API_TOKEN", "x")
    books.answered()
    status, out = books.text(*arguments)
    assert (status, out.count("\n")) == (2, 1)
    assert out.startswith(WHY) and said in out


@pytest.mark.parametrize("text", ["yesterday", "nan", "inf", "1e30", ""])
def test_a_time_that_is_none_is_told_with_the_usage(books: Books, text):
    books.answered()
    status, out = books.text("--from", text)
    assert status == 2
    assert "argument --from: invalid" in out


def test_a_database_that_is_not_there_is_not_made(books: Books):
    books.answered()
    config = books.write()
    (books.folder / "acd.db").unlink()
    status, out = books.run("audit", "--config", str(config))
    assert (status, out) == (2, "acd: acd's database cannot be read: unable to open database file\n")
    assert not (books.folder / "acd.db").exists()


def test_a_database_of_something_else_is_told_as_such(books: Books):
    books.answered()
    config = books.write()
    (books.folder / "acd.db").write_text("no database")
    status, out = books.run("audit", "--config", str(config))
    assert (status, out) == (2, "acd: acd's database cannot be read: file is not a database\n")


def test_an_acd_that_never_heard_asterisk_cannot_be_audited(books: Books):
    books.answered()
    config = books.write()
    engine = create_engine(f"sqlite:///{books.folder}/acd.db")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM heard"))
    engine.dispose()
    status, out = books.run("audit", "--config", str(config))
    assert (status, out) == (2, "acd: acd has not heard the Asterisk 'main' yet, its database is empty\n")


def test_a_damaged_compressed_log_is_told_as_such(books: Books):
    books.answered()
    config = books.write()
    packed = gzip.compress(b"x" * 1000)
    (books.folder / "queue_log.1.gz").write_bytes(packed[: len(packed) // 2])
    status, out = books.run("audit", "--config", str(config))
    assert status == 2
    assert out.startswith(f"acd: {books.folder}/queue_log: cannot be read: ")


# The period


def test_what_began_before_or_was_not_over_is_left_out_on_both_sides_and_counted(books: Books):
    for number, at in enumerate((100, 200, 300)):
        books.answered(f"c{number}", at)  # over 29 s later
    audited = books.audit("--from", str(START + 101), "--to", str(START + 328))
    assert audited.calls["compared"] == 1
    assert audited.calls["left_out"] == {"began_before": 1, "going_on": 1}
    assert audited.body["queues"]["support"]["offered"] == {"acd": 1, "queue_log": 1, "difference": 0}
    wider = books.audit("--from", str(START + 100), "--to", str(START + 329))
    assert (wider.calls["compared"], wider.calls["left_out"]) == (3, {"began_before": 0, "going_on": 0})


def test_who_still_waits_talks_or_is_wrapped_up_is_left_out(books: Books):
    books.enters("waits", 10)
    books.row("waits", 10.2, outcome=None)
    books.enters("talks", 20)
    books.connects("talks", 25, 5, "bob")
    books.row("talks", 20.2, answered=25.2, agent=None, wrap_up_time=None)
    books.answered("wrapped", 40, wrap_up_time=None)
    del books.lines[-1]
    audited = books.audit()
    assert (audited.status, audited.found) == (0, [])
    assert audited.calls["left_out"] == {"began_before": 0, "going_on": 3}


def test_a_visit_that_only_one_says_is_over_differs(books: Books):
    books.enters("c1", 10)
    books.row("c1", 10.2, ended=15.2, outcome="abandoned")
    books.leaves("c2", 30, outcome=None, ended=None, wait_time=None)
    audited = books.audit()
    assert [(each["call"], each["figure"]) for each in audited.body["differences"]] == [
        ("c1", "outcome"),
        ("c1", "left"),
        ("c2", "outcome"),
        ("c2", "left"),
    ]


def test_times_are_epoch_seconds_or_iso_8601_of_any_zone(books: Books, monkeypatch):
    books.answered()
    monkeypatch.setenv("TZ", "UTC")
    for start in (str(START), "2023-11-14T22:13:20Z", "2023-11-15T00:13:20+02:00"):
        assert books.audit("--from", start).body["from"] == "2023-11-14T22:13:20.000Z"


def test_it_ends_where_acd_has_heard_asterisk(books: Books):
    books.answered()
    books.leaves("later", END - START + 100)
    books.rows.pop()
    for arguments in ((), ("--to", str(END + 1000))):
        audited = books.audit(*arguments)
        assert (audited.status, audited.calls["compared"]) == (0, 1)
        assert audited.body["to"] == "2023-11-15T00:59:57.000Z"  # three seconds before
    assert "later visits are left out" in audited.body["notes"][0]


# The log


def test_rotated_and_compressed_files_are_read_in_their_order(books: Books):
    for number in range(3):
        books.answered(f"c{number}", 100 * number)
    config = books.write()
    lines = [f"{line}\n" for line in books.lines]
    last = lines[13:]
    (books.folder / "queue_log").write_text("".join(last))
    (books.folder / "queue_log.1").write_text("".join(lines[6:13]))
    (books.folder / "queue_log.2.gz").write_bytes(gzip.compress("".join(lines[:6]).encode()))
    for at, name in ((1, "queue_log.2.gz"), (2, "queue_log.1"), (3, "queue_log")):
        os.utime(books.folder / name, (START + at, START + at))
    status, out = books.run("audit", "--json", "--config", str(config))
    body = json.loads(out)
    assert (status, body["calls"]["compared"], body["differences"]) == (0, 3, [])
    assert body["queue_log"]["out_of_order"] == 0


def test_files_that_were_finished_before_the_period_are_not_read_but_remembered(books: Books):
    books.answered("old", 10)
    books.lines.clear()
    books.answered("c1", 9000)
    config = books.write()
    old = books.folder / "queue_log.1"
    old.write_text("older lines\n")
    os.utime(old, (START - 400_000, START - 400_000))
    _, out = books.run("audit", "--json", "--config", str(config))
    body = json.loads(out)
    assert body["queue_log"]["malformed"] == 0
    assert [each["explained"] for each in body["differences"]] == [None], "queue_log does not begin later than the row"


def test_lines_that_are_none_are_counted_and_shown(books: Books):
    books.answered()
    books.lines += ["rubbish", f"{START + 50}|x|support|NONE|MADE_UP|1"]
    audited = books.audit()
    log = audited.body["queue_log"]
    assert (audited.status, log["malformed"], log["malformed_samples"]) == (0, 2, books.lines[-2:])
    assert "2 of 7 lines are none of Asterisk's own" in books.text()[1]


def test_lines_about_visits_without_a_beginning_are_counted(books: Books):
    books.answered()
    books.log(50, "c9", "alice", "COMPLETEAGENT", 5, 20, 1)
    books.log(50, "c9", "NONE", "ABANDON", 1, 1, 20)
    assert books.audit().body["queue_log"]["strays"] == 2


def test_a_copy_beside_the_log_is_noticed(books: Books):
    books.answered()
    config = books.write()
    copy = books.folder / "queue_log.bak"
    copy.write_text((books.folder / "queue_log").read_text())
    os.utime(copy, (START, START))
    status, out = books.run("audit", "--config", str(config))
    assert status == 1
    assert "1 lines are older than the one before: is a copy of queue_log beside it?" in out


# The database


def test_a_running_acd_may_write_meanwhile(books: Books):
    books.answered()
    config = books.write()
    with closing(sqlite3.connect(books.folder / "acd.db")) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM call")
        assert books.run("audit", "--config", str(config))[0] == 0
        writer.rollback()


def test_nothing_is_written(books: Books):
    books.answered()
    config = books.write()
    before = {path.name: path.read_bytes() for path in books.folder.iterdir()}
    assert books.run("audit", "--config", str(config))[0] == 0
    assert {path.name: path.read_bytes() for path in books.folder.iterdir()} == before


# What it prints


def test_the_text_names_call_queue_both_accounts_and_why(books: Books):
    books.answered("c1", 10)
    books.rows[0]["talk_time"] += 2
    books.leaves("c2", 50, event="EXITWITHTIMEOUT", outcome="unknown")
    _, out = books.text()
    assert "call c1 in queue support, 2023-11-14T22:13:30.200Z" in out
    assert "    talk: acd 22.1 s, queue_log 20 s; UNEXPLAINED" in out
    assert "    outcome: acd unknown, queue_log timed_out; untold: queue_log has EXITWITHTIMEOUT" in out
    assert out.index("call c1") < out.index("call c2"), "what nothing explains comes first"
    assert "2 calls compared: 0 equal, 1 explained, 1 unexplained; left out: 0 begun before, 0 not over then" in out
    assert "    untold 1: the dialplan told no QUEUESTATUS" in out
    assert re.search(r"^queue support +acd +queue_log +difference$", out, re.M)
    assert re.search(r"^    timed_out +0 +1 +-1$", out, re.M)


SHAPE = {
    "handler": "main",
    "from": "2023-11-14T22:13:20.000Z",
    "to": "2023-11-15T00:59:57.000Z",
    "bounds": {"moment_seconds": [-0.25, 1.25], "span_seconds": 1.25},
    "calls": {
        "compared": 1,
        "equal": 0,
        "explained": {"untold": 1},
        "unexplained": 0,
        "left_out": {"began_before": 0, "going_on": 0},
    },
    "differences": [
        {
            "call": "c1",
            "queue": "support",
            "entered": "2023-11-14T22:13:30.200Z",
            "figure": "outcome",
            "acd": "unknown",
            "queue_log": "timed_out",
            "explained": "untold",
            "why": "queue_log has EXITWITHTIMEOUT, and no status was told",
        }
    ],
    "agents": {},
    "api": None,
    "notes": [],
}


def test_the_json_has_a_shape_that_programs_can_rely_on(books: Books):
    books.leaves(event="EXITWITHTIMEOUT", outcome="unknown")
    body = books.audit().body
    log, queues = body.pop("queue_log"), body.pop("queues")
    assert body == SHAPE
    assert log == {
        "path": str(books.folder / "queue_log"),
        "first": "2023-11-14T22:13:30.000Z",
        "last": "2023-11-14T22:13:35.000Z",
        "lines": 2,
        "malformed": 0,
        "malformed_samples": [],
        "out_of_order": 0,
        "strays": 0,
    }
    assert queues["support"]["timed_out"] == {"acd": 0, "queue_log": 1, "difference": -1}
    assert queues["support"]["longest_wait"] == {"acd": 5.1, "queue_log": 5, "difference": 0.1}
    counts = {"offered", "answered", "abandoned", "timed_out", "left_empty", "left_by_key", "withdrawn"}
    counts |= {"flowed_in", "flowed_out", "redirected", "lost", "unknown"}
    times = {f"{how}_{what}" for how in ("total", "average", "longest") for what in ("wait", "talk", "wrap_up")}
    assert set(queues["support"]) == counts | times


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may read and not write")
def test_somebody_who_may_only_read_can_audit_an_acd_that_does_not_run(books: Books):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own lets nobody else in
        books.folder = Path(folder)
        books.answered()
        config = books.write()
        with closing(sqlite3.connect(books.folder / "acd.db")) as writer:
            writer.execute("PRAGMA journal_mode=WAL")
        for path in (books.folder, *books.folder.iterdir()):
            path.chmod(0o755)
        os.seteuid(65534)
        try:
            status, out = books.run("audit", "--config", str(config))
        finally:
            os.seteuid(0)
    assert status == 0, out
