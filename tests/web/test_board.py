"""GET .../board and GET /api/v1/site: what pages are made of."""

import asyncio

import pytest

from acd.web import board, pages
from tests.helpers import until
from tests.reports.books import a_call, abandoned
from tests.web.house import House, open_house
from tests.web.switch import Call
from tests.web.test_reports import keep


async def a_half_hour(house: House) -> None:
    now = house.service.now()
    keep(
        house,
        a_call(now - 60, key="a"),
        a_call(now - 90, key="b", queue="sales", wait_time=25.0),
        abandoned(now - 120, 3.0, key="c"),
    )


async def test_the_board_tells_what_the_report_of_the_day_does(house: House):
    await a_half_hour(house)
    shown = await house.get("board?tz=Europe/Berlin")
    report = await house.get("reports/queues?tz=Europe/Berlin")
    rows = {row["queue"]: row for row in report["items"]}
    assert shown["midnight"] == report["from"]
    for row in shown["queues"]:
        same = ("offered", "answered", "abandoned", "answered_within", "abandoned_within")
        assert {name: row["today"][name] for name in same} == {name: rows[row["queue"]][name] for name in same}
        assert row["today"]["service_level"] == rows[row["queue"]][shown["definition"]]["value"]


async def test_however_many_ask_the_board_is_made_once(house: House, monkeypatch):
    made = []
    rows = board.board.rows
    monkeypatch.setattr(board.board, "rows", lambda *of: made.append(of) or rows(*of))
    await asyncio.gather(*(house.get("board") for _ in range(20)))
    assert len(made) == 1
    await house.get("board?tz=Asia/Tokyo")
    assert len(made) == 2
    house.app[board.BOARDS]._made.clear()  # as after some seconds
    await house.get("board")
    assert len(made) == 3


async def test_a_board_that_is_some_seconds_old_is_made_anew(house: House, monkeypatch):
    monkeypatch.setattr(board, "KEPT", -1.0)
    await a_half_hour(house)
    assert (await house.get("board"))["queues"][0]["today"]["offered"] == 1
    keep(house, a_call(house.service.now() - 5, key="d", queue="sales"))
    assert (await house.get("board"))["queues"][0]["today"]["offered"] == 2


async def test_a_supervisor_sees_the_queues_of_his_groups(house: House):
    token = (
        await house.call("POST", "/api/v1/tokens", {"name": "s", "role": "supervisor", "groups": ["support"]})
    ).body
    answer = await house.call("GET", "board", token=token["token"])
    assert [row["queue"] for row in answer.body["queues"]] == ["support"]


async def test_a_zone_that_there_is_not_is_refused(house: House):
    answer = await house.refused("GET", "board?tz=Mars/Olympus")
    assert (answer.status, answer.fields) == (422, ["query.tz"])


@pytest.mark.sqlite
async def test_a_database_that_cannot_be_read_is_told(house: House, tmp_path):
    (tmp_path / "acd.db").rename(tmp_path / "elsewhere.db")
    answer = await house.refused("GET", "board")
    assert (answer.status, answer.body["code"]) == (503, "store-failed")


async def test_targets_are_those_of_the_settings(tmp_path):
    targets = {"waiting": [2, 3]}
    async with open_house(tmp_path, web={"wallboard": {"threshold": 30, "targets": targets}}) as house:
        shown = await house.get("board")
        assert (shown["threshold"], shown["targets"]["waiting"]) == (30.0, [2, 3])


async def test_a_session_tells_its_call_from_the_first_ring_on(house: House):
    key, call = await house.ready(), Call("1.1", "support")
    assert (await house.get(f"sessions/{key}"))["acd_call"] is None
    house.switch.join(call)
    house.switch.ring(call)
    await until(lambda: house.center.state.ringing, what="it rings")
    ringing = (await house.get(f"sessions/{key}"))["acd_call"]
    assert (ringing["stage"], ringing["queue"], ringing["caller"]) == ("RINGING", "support", "5551234")
    house.switch.answer(call)
    await house.in_state(key, "BUSY_ON_CALL")
    assert (await house.get(f"sessions/{key}"))["acd_call"]["stage"] == "TALKING"


async def test_the_stream_tells_that_a_phone_rings(house: House):
    key, call = await house.ready(), Call("1.1", "support")
    async with house.socket(f"?after={house.feed.seq}&type=statistics") as socket:
        house.switch.join(call)
        house.switch.ring(call)
        async with asyncio.timeout(5):
            while True:
                envelope = await socket.receive_json()
                if envelope["event"] == "AGENT_SESSION" and envelope["subject"]["acd_call"]:
                    break
    assert envelope["subject"]["id"] == key


async def test_the_site_tells_everybody_whether_it_is_real(house: House):
    answer = await house.call("GET", "/api/v1/site", token=None)
    assert answer.status == 200
    assert (answer.body["simulated"], answer.body["browser_phone"]) == (False, False)


async def test_every_file_of_the_pages_comes_with_a_policy_that_runs_nothing_else(house: House):
    for path in pages.FILES:
        answer = await house.call("GET", path, token=None)
        assert answer.status == 200, path
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert "require-trusted-types-for 'script'" in policy


async def test_a_file_that_is_there_already_is_not_sent_again(house: House):
    first = await house.call("GET", "/static/base.css", token=None)
    again = await house.send("GET", "/static/base.css", token=None, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


async def test_nothing_beside_the_files_of_the_pages_is_given_out(house: House):
    for path in ("/static/../pages.py", "/static/%2e%2e/pages.py", "/static/texts", "/static/wallboard.html"):
        assert (await house.call("GET", path, token=None)).status in (401, 404), path
