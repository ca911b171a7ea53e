"""Reports and the board over every Asterisk server: figures of all calls, each counted anew for the comparison."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from acd.clock import moment
from acd.reports.reports import By
from acd.reports.rows import Call
from tests.reports.books import NOON, a_call, abandoned, does
from tests.web.house import House, open_house
from tests.web.switch import Switch
from tests.web.test_reports import DAY, keep, spend, token

SITE = "/api/v1/reports"


def calls() -> list[Call]:
    """Calls of two queues at each server, of which two have the same name."""
    return [
        *(a_call(NOON + 7 * number, key=f"m{number}", wait_time=float(number)) for number in range(30)),
        *(
            a_call(NOON + 11 * number, key=f"b{number}", handler="branch", wait_time=5.0 * number, talk_time=9.0)
            for number in range(10)
        ),
        *(abandoned(NOON + 13 * number, 25.0, key=f"g{number}", handler="branch") for number in range(3)),
        a_call(NOON + 900, key="o", handler="branch", queue="orders", agent="2001", disposition="sold"),
        a_call(NOON + 901, key="s", queue="sales", wait_time=80.0),
    ]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with Switch("support", "orders") as switch, open_house(tmp_path, branch=switch) as house:
        keep(house, *calls())
        spend(
            house,
            does("1001", NOON, "READY"),
            does("1001", NOON + 100, "LOGGED_OFF"),
            does("1001", NOON, "NOT_READY", "lunch")._replace(handler="branch"),
            does("1001", NOON + 40, "LOGGED_OFF")._replace(handler="branch"),
        )
        yield house


async def items(house: House, report: str, asked: str = "", who: str | None = None) -> list[dict[str, Any]]:
    answer = await house.call("GET", f"{SITE}/{report}?{DAY}{asked}", **({} if who is None else {"token": who}))
    assert answer.status == 200, answer.text
    return list(answer.body["items"])


def counted(rows: list[Call]) -> dict[str, float | None]:
    """Some figures by a plain count."""
    waits = [call.wait_time or 0.0 for call in rows if call.outcome == "answered"]
    talks = [call.talk_time for call in rows if call.talk_time is not None]
    return {
        "entered": len(rows),
        "answered": len(waits),
        "longest_wait_time": max((call.wait_time or 0.0 for call in rows), default=0.0),
        "service_level_of_offered": len([wait for wait in waits if wait <= 20]) / len(rows) if rows else None,
        "average_speed_of_answer": sum(waits) / len(waits) if waits else None,
        "average_talk_time": sum(talks) / len(talks) if talks else None,
    }


def near(figures: dict[str, float | None]) -> Any:
    return pytest.approx(figures, abs=1e-6)


def told(row: dict[str, Any]) -> dict[str, float | None]:
    return {name: row[name]["value"] if isinstance(row[name], dict) else row[name] for name in counted([])}


async def test_each_queue_of_each_server_has_its_row(house: House):
    rows = {(row["handler"], row["queue"]): row for row in await items(house, "queues")}
    assert list(rows) == [("branch", "orders"), ("branch", "support"), ("main", "sales"), ("main", "support")]
    for (handler, queue), row in rows.items():
        mine = [call for call in calls() if (call.handler, call.queue) == (handler, queue)]
        assert told(row) == near(counted(mine))


async def test_a_sum_is_of_all_calls_and_no_mean_of_the_servers_figures(house: House):
    (whole,) = await items(house, "queues", "&by=all")
    assert (whole["handler"], whole["queue"]) == (None, None)
    assert told(whole) == near(counted(calls()))
    by_handler = {row["handler"]: row for row in await items(house, "queues", "&by=handler")}
    assert list(by_handler) == ["branch", "main"]
    for handler, row in by_handler.items():
        assert told(row) == near(counted([call for call in calls() if call.handler == handler]))
    mean = sum(row["average_speed_of_answer"]["value"] for row in by_handler.values()) / 2
    assert whole["average_speed_of_answer"]["value"] != pytest.approx(mean, rel=0.02)


async def test_intervals_add_up_to_the_whole(house: House):
    rows = await items(house, "intervals", "&interval=5m&by=all")
    for row in rows:
        mine = [call for call in calls() if row["from"] <= moment(call.entered) < row["to"]]
        assert told(row) == near(counted(mine))
    assert sum(row["entered"] for row in rows) == len(calls())
    each = await items(house, "intervals", "&interval=1d")
    assert {(row["handler"], row["queue"]) for row in each} >= {("main", "support"), ("branch", "support")}


@pytest.mark.parametrize(
    "report", ["queues", "intervals", "agents", "agent-intervals", "reasons", "dispositions", "calls"]
)
@pytest.mark.parametrize("by", [By.EACH, By.HANDLER])
async def test_a_report_of_one_server_is_its_part_of_the_sites(house: House, report: str, by: By):
    asked = f"{DAY}&interval=1d&by={by}"
    parts = [await house.get(f"/api/v1/handlers/{name}/reports/{report}?{asked}") for name in ("branch", "main")]
    rows = [row for part in parts for row in part["items"]]
    assert sorted(await items(house, report, f"&interval=1d&by={by}"), key=str) == sorted(rows, key=str)


async def test_agents_with_the_same_id_are_two_and_a_team_is_the_sum_of_their_time(house: House):
    rows = {(row["handler"], row["agent"]): row for row in await items(house, "agents")}
    assert list(rows) == [("branch", "1001"), ("branch", "2001"), ("main", "1001")]
    assert (rows["main", "1001"]["ready_time"], rows["branch", "1001"]["not_ready_time"]) == (100.0, 40.0)
    (team,) = await items(house, "agents", "&by=all")
    assert (team["logged_on_time"], team["not_ready_reasons"]) == (140.0, {"lunch": 40.0})
    assert team["not_ready_share"]["value"] == pytest.approx(40 / 140)


async def test_the_ledger_names_the_server_of_each_call_in_the_order_of_their_time(house: House):
    rows = await items(house, "calls")
    assert len(rows) == len(calls())
    assert [row["entered"] for row in rows] == sorted(row["entered"] for row in rows)
    answer = await house.send("GET", f"{SITE}/calls?{DAY}&format=csv")
    lines = list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))
    assert [line["handler"] for line in lines] == [row["handler"] for row in rows]


async def test_the_head_says_of_whom_it_tells(house: House):
    body = await house.get(f"{SITE}/queues?{DAY}&queue=support")
    assert (body["handler"], body["handlers"], body["queues"], body["by"]) == (
        None,
        ["main", "branch"],
        ["support"],
        "each",
    )
    body = await house.get(f"reports/queues?{DAY}")
    assert (body["handler"], body["handlers"]) == ("main", ["main"])


async def test_a_group_is_that_of_each_server_that_has_it(house: House):
    rows = await items(house, "queues", "&group=both")  # a group of main alone
    assert [(row["handler"], row["queue"]) for row in rows] == [("main", "sales"), ("main", "support")]
    answer = await house.refused("GET", f"{SITE}/queues?group=nobody")
    assert answer.body["code"] == "unknown-group"


async def test_a_supervisor_sees_his_groups_at_every_server_and_an_agent_himself_at_his_own(house: House):
    boss = await token(house, role="supervisor", groups=["support"])
    rows = await items(house, "queues", who=boss)
    assert [(row["handler"], row["queue"]) for row in rows] == [("branch", "support"), ("main", "support")]
    (whole,) = await items(house, "queues", "&by=all", boss)
    assert told(whole) == near(counted([call for call in calls() if call.queue == "support"]))
    await house.agent("1001", "alice")
    alice = await token(house, role="agent", agent="1001")
    assert {(row["handler"], row["agent"]) for row in await items(house, "calls", who=alice)} == {("main", "1001")}
    assert (await house.call("GET", f"{SITE}/queues?{DAY}", token=alice)).status == 403


async def test_the_board_of_the_site_has_the_rows_of_each_servers_board(house: House):
    now = house.service.now()
    keep(house, a_call(now - 60, key="x"), a_call(now - 61, key="y", handler="branch", queue="orders"))
    whole = await house.get("/api/v1/board?tz=Europe/Berlin")
    parts = [await house.get(f"/api/v1/handlers/{name}/board?tz=Europe/Berlin") for name in ("main", "branch")]
    assert whole["queues"] == [row for part in parts for row in part["queues"]]
    assert {(row["handler"], row["queue"]): row["today"]["offered"] for row in whole["queues"]} == {
        ("main", "sales"): 0,
        ("main", "support"): 1,
        ("branch", "orders"): 1,
        ("branch", "support"): 0,
    }
    boss = await token(house, role="supervisor", groups=["support"])
    answer = await house.call("GET", "/api/v1/board", token=boss)
    assert [row["queue"] for row in answer.body["queues"]] == ["support", "support"]
