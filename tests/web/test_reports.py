"""Reports over HTTP: what can be asked, who sees what, and what a client sees when something breaks off."""

import asyncio
import csv
import io
import json
import threading
import types
import typing
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from sqlalchemy.exc import OperationalError

from acd.reports.rows import AgentTime, Call
from acd.store.reading import Reading
from acd.store.tables import AgentTimeRow, CallRow
from acd.web import report_answers, reports
from acd.web.reports import DESK, OPERATIONS, REPORTS
from tests.helpers import until
from tests.reports.books import NOON, a_call, abandoned, does
from tests.web.house import TOKEN, H, House, open_house

DAY = "from=2024-03-30T00:00:00Z&to=2024-04-01T00:00:00Z"
PATHS = [each.path.removeprefix(f"{reports.H}/").replace("{agent}", "1001") for each in OPERATIONS]


def keep(house: House, *calls: Call) -> None:
    for call in calls:
        house.store.keep(CallRow(**call._asdict()))


def spend(house: House, *times: AgentTime) -> None:
    for row in times:
        house.store.keep(AgentTimeRow(**row._asdict()))


async def a_day(house: House) -> None:
    """Two answered calls and an abandoned one, and what two agents did."""
    await house.agent("1001", "alice")
    await house.agent("1002", "bob")
    keep(
        house,
        a_call(NOON, key="a", caller="+4930555"),
        a_call(NOON + 60, key="b", queue="sales", agent="1002", disposition="sold", wait_time=25.0),
        abandoned(NOON + 120, 3.0, key="c"),
    )
    spend(
        house,
        does("1001", NOON - 60, "READY"),
        does("1001", NOON + 4, "BUSY_ACD"),
        does("1001", NOON + 74, "NOT_READY", "lunch"),
        does("1002", NOON, "READY"),
        does("1002", NOON + 300, "LOGGED_OFF"),
        does("1001", NOON + 600, "LOGGED_OFF"),
    )


@pytest.fixture
async def day(house: House) -> House:
    await a_day(house)
    return house


async def items(house: House, report: str, **asked: Any) -> list[dict[str, Any]]:
    body = await house.get(f"reports/{report}?{DAY}&{urlencode(asked)}")
    assert body["next"] is None
    return list(body["items"])


async def lines(house: House, path: str) -> list[dict[str, str]]:
    answer = await house.call("GET", path)
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))


# What is told ---------------------------------------------------------------------------------------------


async def test_a_queue_has_its_figures_with_numerator_denominator_and_formula(day: House):
    sales, support = await items(day, "queues")
    assert (sales["queue"], sales["offered"], support["queue"], support["offered"]) == ("sales", 1, "support", 2)
    assert support["service_level_of_offered"] == {
        "value": 0.5,
        "numerator": 1,
        "denominator": 2,
        "formula": "answered_within / offered",
    }
    assert sales["service_level_of_offered"]["value"] == 0.0  # 25 s are more than the 20 of the threshold
    assert support["short_abandoned"] == 1


async def test_thresholds_can_be_chosen(day: House):
    sales, support = await items(day, "queues", threshold=30, short_abandon=2.5, histogram="2.5,30")
    assert sales["service_level_of_offered"]["value"] == 1.0
    assert support["short_abandoned"] == 0
    assert support["histogram"] == [
        {"threshold": 2.5, "answered": 0, "abandoned": 0},
        {"threshold": 30.0, "answered": 1, "abandoned": 1},
    ]


async def test_intervals_follow_the_clock_of_a_zone(day: House):
    rows = await items(day, "intervals", interval="1d", tz="Europe/Berlin", queue="support")
    assert [(row["local_from"], row["entered"]) for row in rows] == [
        ("2024-03-30T01:00:00+01:00", 2),
        ("2024-03-31T00:00:00+01:00", 0),
        ("2024-04-01T00:00:00+02:00", 0),
    ]
    assert [(row["from"], row["to"]) for row in rows][1] == (
        "2024-03-30T23:00:00.000000Z",
        "2024-03-31T22:00:00.000000Z",
    )


async def test_a_time_without_an_offset_is_local_time_of_the_zone(day: House):
    asked = "from=2024-03-30T13:00:00&to=2024-03-30T13:01:00&tz=Europe/Berlin"
    body = await day.get(f"reports/queues?{asked}")
    assert (body["from"], body["to"]) == ("2024-03-30T12:00:00.000000Z", "2024-03-30T12:01:00.000000Z")
    assert {row["queue"]: row["entered"] for row in body["items"]} == {"support": 1, "sales": 0}


async def test_agents_have_their_calls_and_their_time(day: House):
    alice, bob = await items(day, "agents")
    assert (alice["agent"], alice["handled"], alice["busy_acd_time"], alice["ready_time"]) == ("1001", 1, 70.0, 64.0)
    assert alice["not_ready_reasons"] == {"lunch": 526.0}
    assert bob["logged_on_time"] == 300.0
    assert alice["occupancy"]["denominator"] == 134.0


async def test_agents_of_a_queue_are_those_who_answered_its_calls(day: House):
    assert [row["agent"] for row in await items(day, "agents", queue="sales")] == ["1002"]
    assert [row["agent"] for row in await items(day, "reasons", queue="sales")] == []
    assert [row["agent"] for row in await items(day, "agents", queue="sales", agent="1001")] == ["1001"]


async def test_the_intervals_of_an_agent_cut_his_time(day: House):
    rows = await items(day, "agent-intervals", interval="5m", agent="1001")
    assert [(row["local_from"], row["logged_on_time"]) for row in rows] == [
        ("2024-03-30T11:55:00+00:00", 60.0),
        ("2024-03-30T12:00:00+00:00", 300.0),
        ("2024-03-30T12:05:00+00:00", 300.0),
    ]


async def test_reasons_and_after_call_codes_are_told(day: House):
    (lunch,) = await items(day, "reasons")
    assert (lunch["agent"], lunch["reason"], lunch["begun"], lunch["reason_time"]) == ("1001", "lunch", 1, 526.0)
    rows = await items(day, "dispositions")
    assert [(row["queue"], row["disposition"], row["coded"]) for row in rows] == [
        ("sales", "sold", 1),
        ("support", None, 1),
    ]


async def test_a_time_line_has_the_stretches_of_an_agent_with_his_calls(day: House):
    body = await day.get(f"agents/1001/timeline?{DAY}")
    assert [(row["state"], row["seconds"], len(row["calls"])) for row in body["items"]] == [
        ("READY", 64.0, 0),
        ("BUSY_ACD", 70.0, 1),
        ("NOT_READY", 526.0, 0),
        ("LOGGED_OFF", 86400.0 + 43200.0 - 600.0, 0),
    ]


async def test_the_ledger_is_told_as_a_whole(day: House):
    rows = await items(day, "calls", queue="support,sales")
    assert [(row["queue"], row["caller"]) for row in rows] == [
        ("support", "+4930555"),
        ("sales", "+4930555"),
        ("support", "+4930555"),
    ]
    assert rows[1]["disposition"] == "sold" and rows[0]["ring_time_exact"] == 2.5


def check(hint: Any, value: Any, where: str) -> None:
    """The value is what the annotation says, with all its fields and no other."""
    kind, args = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        hints = get_type_hints(hint)
        assert hint.__required_keys__ <= value.keys() <= hints.keys(), where
        for name, each in value.items():
            check(hints[name], each, f"{where}.{name}")
    elif kind in (types.UnionType, typing.Union):
        assert value is None or check(args[0], value, where) is None
    elif kind is list:
        for each in value:
            check(args[0], each, f"{where}[]")
    elif kind is dict:
        for name, each in value.items():
            check(args[1], each, f"{where}.{name}")
    else:
        assert type(value) in ((int, float) if hint is float else (hint,)), f"{where}: {value!r} is no {hint}"


@pytest.mark.parametrize("path", PATHS)
async def test_every_report_is_what_its_description_says_in_json_and_in_csv(day: House, path):
    name = path.rpartition("/")[2]
    body = await day.get(f"{path}?{DAY}&interval=1h")
    check(report_answers.ANSWERS[name], body, name)
    assert body["items"]
    assert len(await lines(day, f"{path}?{DAY}&interval=1h&format=csv")) == len(body["items"])


async def test_csv_is_what_the_client_accepts_unless_it_says_otherwise(day: House):
    answer = await day.send("GET", f"reports/calls?{DAY}", Accept="text/csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="calls.csv"'
    assert answer.text.splitlines()[1].split(",")[3] == "'+4930555"
    answer = await day.send("GET", f"reports/calls?{DAY}&format=json", Accept="text/csv")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_a_report_ends_now_at_the_latest(day: House):
    body = await day.get("reports/intervals?from=2024-01-01&to=2100-01-01&interval=1d")
    assert body["to"] < "2100"
    assert body["items"][-1]["to"] == body["to"]


async def test_without_a_period_it_is_the_present_day(day: House):
    body = await day.get("reports/queues?tz=Asia/Kathmandu")
    assert body["from"].endswith("T18:15:00.000000Z")  # midnight there


async def test_a_call_that_has_just_ended_is_in_the_report(house: House):
    await house.in_wrap_up()
    (_, support) = (await house.get("reports/queues"))["items"]
    assert (support["answered"], support["unhandled"]) == (1, 1)


@pytest.mark.parametrize(
    "asked", ["from=1900-01-01", "from=0001-01-01T00:00:00%2B14:00", "from=0001-01-01&tz=Asia/Tokyo"]
)
async def test_a_report_begins_on_the_day_of_the_first_record_at_the_earliest(day: House, asked):
    body = await day.get(f"reports/intervals?{asked}&to=2024-03-31T00:00:00Z&interval=1d&queue=support")
    zone = ZoneInfo(body["tz"])
    begin = datetime.fromisoformat(body["from"]).astimezone(zone)
    assert (begin.date(), begin.hour) == (datetime.fromtimestamp(NOON, zone).date(), 0)
    assert body["items"][0]["from"] == body["from"]


@pytest.mark.parametrize(
    "asked", ["to=0001-01-01", "to=1960-01-01", "from=9999-12-31T23:00:00-14:00", "from=2100-01-01"]
)
async def test_a_time_that_no_record_can_have_is_an_empty_report(day: House, asked):
    assert (await day.get(f"reports/intervals?{asked}"))["items"] == []


async def test_without_any_record_a_report_is_empty(house: House):
    body = await house.get("reports/intervals?from=2024-01-01")
    assert body["items"] == []
    assert [row["entered"] for row in (await house.get("reports/queues?from=2024-01-01"))["items"]] == [0, 0]


async def test_a_period_that_ends_before_it_begins_is_empty(day: House):
    body = await day.get("reports/intervals?from=2024-03-30T12:00:00Z&to=2024-03-30T11:00:00Z")
    assert body["items"] == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("tz=Middle/Earth", "query.tz"),
        ("tz=../../etc/passwd", "query.tz"),
        ("tz=", "query.tz"),
        ("interval=7m", "query.interval"),
        ("threshold=-1", "query.threshold"),
        ("threshold=nan", "query.threshold"),
        ("short_abandon=x", "query.short_abandon"),
        ("histogram=5,x", "query.histogram.1"),
        ("histogram=" + ",".join(map(str, range(51))), "query.histogram"),
        ("format=pdf", "query.format"),
        ("from=yesterday", "query.from"),
        ("from=2026-01-01&from=2026-01-02", "query.from"),
        ("queue=a%00b", "query.queue.0"),
        ("colour=red", "query.colour"),
    ],
)
async def test_what_does_not_fit_is_named(house: House, asked, field):
    answer = await house.refused("GET", f"reports/intervals?{asked}")
    assert (answer.status, answer.fields) == (422, [field])


async def test_unknown_groups_agents_and_handlers_are_not_found(house: House):
    assert (await house.refused("GET", "reports/queues?group=nobody")).body["code"] == "unknown-group"
    assert (await house.refused("GET", "agents/nobody/timeline")).body["code"] == "unknown-agent"
    assert (await house.refused("GET", "/api/v1/handlers/nowhere/reports/queues")).status == 404


# Who sees what --------------------------------------------------------------------------------------------


async def token(house: House, **of: Any) -> str:
    answer = await house.call("POST", "/api/v1/tokens", {"name": "x", **of})
    assert answer.status == 201, answer.text
    return str(answer.body["token"])


async def seen(house: House, path: str, who: str) -> list[dict[str, Any]]:
    answer = await house.call("GET", f"{path}?{DAY}", token=who)
    assert answer.status == 200, answer.text
    return list(answer.body["items"])


async def test_an_agent_sees_himself_and_no_queue(day: House):
    alice = await token(day, role="agent", agent="1001")
    for report in ("agents", "agent-intervals", "reasons", "calls"):
        rows = await seen(day, f"reports/{report}", alice)
        assert {row["agent"] for row in rows} == {"1001"}
    assert await seen(day, "agents/1001/timeline", alice)
    assert (await day.call("GET", f"reports/agents?agent=1002&{DAY}", token=alice)).body["agents"] == ["1001"]
    for path in ("reports/queues", "reports/intervals", "reports/dispositions", "agents/1002/timeline"):
        assert (await day.call("GET", f"{path}?{DAY}", token=alice)).status == 403


async def test_a_supervisor_sees_the_queues_of_his_groups_and_who_works_there(day: House):
    boss = await token(day, role="supervisor", groups=["support"])
    assert [row["queue"] for row in await seen(day, "reports/queues", boss)] == ["support"]
    assert {row["queue"] for row in await seen(day, "reports/intervals", boss)} == {"support"}
    assert {row["queue"] for row in await seen(day, "reports/calls", boss)} == {"support"}
    assert {row["queue"] for row in await seen(day, "reports/dispositions", boss)} == {"support"}
    assert {row["agent"] for row in await seen(day, "reports/agents", boss)} == {"1001"}
    for asked in ("reports/queues?queue=sales", "reports/agents?agent=1002", "reports/reasons?agent=1002"):
        assert (await day.call("GET", f"{asked}&{DAY}", token=boss)).body["items"] == []


async def test_a_supervisor_sees_who_is_logged_on_for_his_groups_also_without_calls(day: House):
    await day.log_on("1002", "support", "PJSIP/1002")
    boss = await token(day, role="supervisor", groups=["support"])
    assert {row["agent"] for row in await seen(day, "reports/agents", boss)} == {"1001", "1002"}


async def test_an_integration_sees_everything(day: House):
    program = await token(day, role="integration")
    assert len(await seen(day, "reports/calls", program)) == 3
    assert (await day.call("GET", "reports/queues", token=None)).status == 401


# What goes wrong ------------------------------------------------------------------------------------------


class Gate:
    """Readers that stop before their second page until they are let through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.reading = 0  # how many have begun
        self.error: Exception | None = None
        real = Reading.calls

        def calls(rows: Reading, *asked: Any, **more: Any) -> Iterator[Call]:
            self.reading += 1
            for number, call in enumerate(real(rows, *asked, **more)):
                while number == 1 and not self.open.wait(0.01):
                    rows._between()
                if number == 1 and self.error is not None:
                    raise self.error
                yield call

        monkeypatch.setattr(Reading, "calls", calls)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch)
    yield gate
    gate.open.set()


def running(house: House) -> int:
    return len(house.app[DESK]._runs)


def failing() -> OperationalError:
    return OperationalError("SELECT secret", {"a": "b"}, Exception("disk I/O error"))


@asynccontextmanager
async def asking(house: House, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with house.client.get(f"{H}/{path}", headers=headers) as response:
        yield response


async def many_calls(house: House, count: int = 3000, caller: str = "+4930555") -> None:
    keep(house, *(a_call(NOON + number, key=f"k{number:05}", caller=caller) for number in range(count)))
    await house.store.written()


async def test_a_database_that_fails_at_once_is_told_by_a_status(day: House, gate: Gate):
    gate.error = failing()
    gate.open.set()
    answer = await day.refused("GET", f"reports/queues?{DAY}")
    assert (answer.status, answer.body["code"]) == (503, "store-failed")
    assert "secret" not in answer.text
    gate.error = None
    assert (await day.call("GET", f"reports/queues?{DAY}")).status == 200


@pytest.mark.parametrize("form", ["json", "csv"])
async def test_a_report_that_breaks_off_does_not_look_whole(house: House, monkeypatch, caplog, form):
    await many_calls(house)
    real, fail = Reading.calls, threading.Event()

    def calls(rows: Reading, *asked: Any, **more: Any) -> Iterator[Call]:
        for number, call in enumerate(real(rows, *asked, **more)):
            if number == 2000:
                fail.wait(5)
                raise failing()
            yield call

    monkeypatch.setattr(Reading, "calls", calls)
    with pytest.raises(aiohttp.ClientError):
        async with asking(house, f"reports/calls?{DAY}&format={form}") as response:
            assert response.status == 200
            assert await response.content.readany()
            fail.set()
            await response.read()
    await until(lambda: not running(house), what="the report is over")
    assert "A report broke off: disk I/O error" in caplog.text
    assert "secret" not in caplog.text


async def test_a_client_that_goes_away_ends_the_reading(day: House, gate: Gate, monkeypatch):
    monkeypatch.setattr(reports, "LOOK_EVERY", 0.05)
    asked = asyncio.create_task(day.call("GET", f"reports/queues?{DAY}"))
    await until(lambda: gate.reading and running(day), what="the report is read")
    asked.cancel()
    await until(lambda: not running(day), what="nobody reads any more")
    assert not gate.open.is_set()


async def test_a_client_that_takes_nothing_is_let_go(house: House, monkeypatch):
    monkeypatch.setattr(reports, "CLIENT_WITHIN", 0.2)
    await many_calls(house, 2000, "x" * 20_000)  # more than any socket holds
    reader, writer = await asyncio.open_connection("127.0.0.1", house.client.server.port, limit=1024)
    try:
        request = (
            f"GET {H}/reports/calls?{DAY} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {quote(TOKEN, ' ')}\r\n\r\n"
        )
        writer.write(request.encode())
        await reader.readline()
        await until(lambda: not running(house), what="the report was given up")
    finally:
        writer.close()


async def test_too_many_reports_at_once_are_refused_and_the_others_wait_for_their_turn(day, gate: Gate, monkeypatch):
    monkeypatch.setattr(reports, "WAIT", 0.3)
    waiting = [asyncio.create_task(day.call("GET", f"reports/queues?{DAY}")) for _ in range(reports.AT_ONCE)]
    await until(lambda: running(day) == reports.AT_ONCE, what="all places are taken")
    answer = await day.refused("GET", f"reports/queues?{DAY}")
    assert (answer.status, answer.body["code"]) == (503, "busy")
    monkeypatch.setattr(reports, "WAIT", 10.0)
    waiting += [asyncio.create_task(day.call("GET", f"reports/queues?{DAY}")) for _ in range(reports.MOST_WAITING)]
    await until(lambda: day.app[DESK]._waiting == reports.MOST_WAITING, what="the others wait")
    assert (await day.refused("GET", f"reports/queues?{DAY}")).body["code"] == "busy"
    gate.open.set()
    assert [answer.status for answer in await asyncio.gather(*waiting)] == [200] * len(waiting)


async def test_the_api_answers_while_reports_are_made(day: House, gate: Gate):
    asked = [asyncio.create_task(day.call("GET", f"reports/queues?{DAY}")) for _ in range(reports.AT_ONCE)]
    await until(lambda: running(day) == reports.AT_ONCE, what="all places are taken")
    assert (await day.call("GET", "queues/support")).status == 200
    assert len((await day.get(f"calls?{DAY}"))["items"]) == 3
    gate.open.set()
    assert [answer.status for answer in await asyncio.gather(*asked)] == [200] * len(asked)


async def test_acd_ends_though_a_report_is_being_made(tmp_path: Path, gate: Gate):
    async with open_house(tmp_path) as house:
        await a_day(house)
        asked = asyncio.create_task(house.call("GET", f"reports/queues?{DAY}"))
        await until(lambda: running(house), what="the report is read")
        await house.app[DESK].close()
        assert not running(house)
        assert ((await asked).status, (await asked).body["code"]) == (503, "busy")
        assert (await house.refused("GET", f"reports/queues?{DAY}")).body["code"] == "busy"


async def test_every_report_has_an_operation():
    assert {path.rpartition("/")[2] for path in PATHS} == REPORTS.keys()


async def test_a_large_report_comes_in_pieces_and_whole(house: House):
    await many_calls(house)
    pieces = []
    async with asking(house, f"reports/calls?{DAY}") as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        async for piece, _ in response.content.iter_chunks():
            pieces.append(piece)
    body = json.loads(b"".join(pieces))
    assert len(body["items"]) == 3000
    assert len(pieces) > 5
