"""The stream as subscribers see it: Server-Sent Events and WebSocket, resumed, filtered, within reach."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from acd.access.principals import Role
from acd.core.states import AgentState
from acd.web import stream
from tests.helpers import until
from tests.web.house import PHONE, TOKEN, House, check_problem, open_house
from tests.web.switch import Call

Json = dict[str, Any]
AGENTS = [
    {"id": "1001", "user": "alice", "pin": "4711"},
    {"id": "1002", "user": "bob", "pin": "4712"},
]


@pytest.fixture
async def house(tmp_path) -> AsyncIterator[House]:
    async with open_house(tmp_path, agents=AGENTS) as house:
        yield house


class StreamEnded(Exception):
    """The server has ended it."""


class Listener:
    """A subscriber; `take` gives the next envelope."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.last_id = ""

    async def take(self) -> Json:
        """Fields of the next frame that has data."""
        async with asyncio.timeout(5):
            while True:
                frame = await self._response.content.readuntil(b"\n\n")
                if not frame:
                    raise StreamEnded
                fields = dict(line.split(": ", 1) for line in frame.decode().strip().split("\n"))
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    return json.loads(fields["data"])

    async def until(self, type: str, event: str) -> Json:
        while True:
            envelope = await self.take()
            if (envelope["type"], envelope["event"]) == (type, event):
                return envelope


@asynccontextmanager
async def listening(house: House, query: str = "", token: str = TOKEN, **headers: str) -> AsyncIterator[Listener]:
    headers["Authorization"] = f"Bearer {token}"
    async with house.client.get(f"/api/v1/events{query}", headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield Listener(response)


def token_for(house: House, role: Role, **reach: Any) -> str:
    return house.register.make_token("test", role, "test", **reach).text


async def test_every_change_is_told_with_the_object_as_its_get_shows_it(house):
    async with listening(house) as listener:
        session = await house.log_on()
        told = await listener.until("agent-session", "NEW_SESSION")
        assert told["subject"].keys() == (await house.get(f"sessions/{session}")).keys()
        assert told["subject"]["id"] == session
        assert told["handler"] == "main" and told["at"].endswith("Z")
        await house.set_state(session, "READY")
        assert (await listener.until("agent-session", "READY"))["subject"]["state"] == "READY"


async def test_numbers_have_no_hole_and_a_break_loses_nothing(house):
    seen: list[Json] = []
    async with listening(house) as listener:
        session = await house.log_on()
        seen.append(await listener.take())
        last = listener.last_id
    await house.set_state(session, "READY")
    async with listening(house, **{"Last-Event-ID": last}) as listener:
        while seen[-1]["event"] != "READY" or seen[-1]["type"] != "agent-session":
            seen.append(await listener.take())
    numbers = [each["seq"] for each in seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_both_ways_tell_the_same(house):
    after = house.feed.seq
    await house.log_on()
    async with listening(house, f"?after={after}") as listener, house.socket(f"?after={after}") as socket:
        for _ in range(2):
            assert await socket.receive_json(timeout=5) == await listener.take()


@pytest.mark.parametrize("after", ["999999", "9223372036854775807"])
async def test_who_asks_for_a_number_that_is_gone_begins_anew_with_the_whole_picture(house, after):
    await house.log_on()
    async with listening(house, f"?after={after}") as listener:
        reset = await listener.take()
        assert (reset["type"], reset["event"]) == ("reset", "RESET")
        picture = reset["subject"]
        assert reset["seq"] == picture["seq"] and listener.last_id == str(reset["seq"])
        assert [each["agent"] for each in picture["handlers"][0]["agents"]] == ["1001", "1002"]
        assert len(picture["handlers"][0]["sessions"]) == 1
        house.switch.join(Call("c1", "support"))
        assert (await listener.until("call", "QUEUED"))["seq"] > reset["seq"]


async def test_the_picture_has_the_number_after_which_the_stream_goes_on(house):
    session = await house.log_on()
    picture = (await house.call("GET", "/api/v1/picture")).body
    async with listening(house, f"?after={picture['seq']}&type=agent-session") as listener:
        await house.set_state(session, "READY")
        assert (await listener.take())["event"] == "READY"


async def test_figures_of_many_are_told_in_several_turns_and_all_of_them(house, monkeypatch):
    monkeypatch.setattr("acd.web.news.AT_ONCE", 1)
    async with listening(house, "?type=statistics") as listener:
        await house.on_a_call()
        missing = {"AGENT", "AGENT_SESSION", "QUEUE"}
        while missing:
            missing.discard((await listener.take())["event"])


async def test_a_queue_that_came_into_a_group_is_told_to_that_group(house):
    async with listening(house, "?type=call&group=both") as listener:
        await house.call("PUT", "acd-groups/both", {"queues": ["support"]})
        house.switch.join(Call("c1", "sales"))
        house.switch.join(Call("c2", "support"))
        assert (await listener.until("call", "QUEUED"))["subject"]["call"] == "c2"


async def test_no_name_stands_twice_in_the_picture(house):
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)

    _, pieces = await stream.picture(house.app, house.register.find(TOKEN))
    json.loads(b"".join(pieces), object_pairs_hook=once)


async def test_a_change_while_the_picture_is_made_is_in_the_stream_behind_it(house, monkeypatch):
    monkeypatch.setattr("acd.web.requests.AT_ONCE", 1)
    who = house.register.find(TOKEN)
    making = asyncio.create_task(stream.picture(house.app, who))
    await asyncio.sleep(0)
    before = house.feed.seq
    house.service.observe(house.center.ask_agent_state(house.service.now(), "1001", AgentState.READY, ""))
    seq, pieces = await making
    assert seq == before < house.feed.seq
    assert [each["agent"] for each in json.loads(b"".join(pieces))["handlers"][0]["agents"]] == ["1001", "1002"]


async def test_those_who_must_begin_anew_at_once_get_one_picture(house):
    who = house.register.find(TOKEN)
    first, second = await asyncio.gather(stream.reset(house.app, who), stream.reset(house.app, who))
    assert first is second
    assert await stream.reset(house.app, who) is not first


async def test_a_picture_that_has_not_changed_is_not_sent_again(house):
    first = await house.call("GET", "acd-groups")
    again = await house.send("GET", "acd-groups", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


async def test_filters_leave_out_the_rest_and_the_place_moves_on_all_the_same(house):
    async with listening(house, "?type=call,queue&queue=sales") as listener:
        house.switch.join(Call("c1", "support"))
        house.switch.join(Call("c2", "sales"))
        told = await listener.take()
        assert (told["subject"]["call"], told["subject"]["queue"]) == ("c2", "sales")


async def test_figures_that_moved_are_told_together_a_little_later(house):
    async with listening(house, "?type=statistics&queue=support") as listener:
        for number in range(5):
            house.switch.join(Call(f"c{number}", "support"))
        told = await listener.until("statistics", "QUEUE")
        assert told["subject"]["current_calls_queued"] == 5


async def test_a_reason_that_changes_without_an_event_of_tapi_is_told(house):
    session = await house.log_on()
    async with listening(house, "?type=statistics") as listener:
        await house.set_state(session, "NOT_READY", "lunch")
        while (told := await listener.until("statistics", "AGENT_SESSION"))["subject"]["reason"] != "lunch":
            pass
        assert told["subject"]["id"] == session


async def test_an_agent_hears_of_himself_and_his_queues_and_of_no_colleague_or_caller(house):
    alice = await house.log_on()
    token = token_for(house, Role.AGENT, handler="main", agent="1001")
    async with listening(house, token=token) as listener:
        await house.log_on(agent="1002", phone="PJSIP/1002")
        house.switch.join(Call("c1", "support", caller="5559876"))
        await until(lambda: house.center.state.queues["support"].waiting, what="waiting")
        told = await listener.until("statistics", "QUEUE")
        assert told["subject"]["current_calls_queued"] == 1
        await house.set_state(alice, "READY")
        while (told := await listener.take())["event"] != "READY":
            assert "1002" not in json.dumps(told) and "5559876" not in json.dumps(told)


async def test_a_supervisor_of_some_groups_hears_of_these(house):
    token = token_for(house, Role.SUPERVISOR, groups=["both"])
    async with listening(house, token=token) as listener:
        await house.log_on(group="support")
        await house.log_on(agent="1002", group="both", phone="PJSIP/1002")
        told = await listener.until("agent-session", "NEW_SESSION")
        assert told["subject"]["agent"] == "1002"


async def test_a_stream_ends_when_its_token_is_revoked(house):
    made = house.register.make_token("test", Role.INTEGRATION, "test")
    async with listening(house, token=made.text) as listener:
        house.register.revoke(made.row.id)
        await house.log_on()
        with pytest.raises(StreamEnded):
            await listener.take()


async def test_a_stream_says_that_it_ends_and_holds_nobody_up(house):
    async with listening(house) as listener:
        house.feed.end_subscriptions()
        assert (await listener.take())["event"] == "ENDING"
        assert house.feed.stats.subscribers <= 1
    async with house.socket("") as socket:
        assert (await socket.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


@pytest.mark.parametrize(
    "query", ["?after=-1", "?after=x", "?after=99999999999999999999", "?types=call", "?type=", "?after=1&after=2"]
)
async def test_what_cannot_be_asked_for_is_named(house, query):
    for path in ("events", "ws"):
        answer = await house.call("GET", f"/api/v1/{path}{query}")
        check_problem(answer)
        assert answer.status == 422 and answer.fields


async def test_a_plain_request_for_the_websocket_is_told_what_is_wanted(house):
    answer = await house.call("GET", "/api/v1/ws")
    check_problem(answer)
    assert answer.status == 422


async def test_what_a_subscriber_says_ends_his_stream(house):
    async with house.socket("") as socket:
        await socket.send_str("hello")
        message = await socket.receive(timeout=5)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1003)
    await until(lambda: house.feed.stats.subscribers == 0, what="nobody listens")


async def test_a_subscriber_who_leaves_is_forgotten(house):
    async with listening(house), house.socket("", heartbeat=None):
        await until(lambda: house.feed.stats.subscribers == 2, what="two listen")
    house.switch.join(Call("c1", "support", PHONE))
    await until(lambda: house.feed.stats.subscribers == 0, what="nobody listens")
