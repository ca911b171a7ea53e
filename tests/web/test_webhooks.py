"""Webhooks through the API: administrators alone, a secret that is shown once, and what a receiver gets."""

import json
import time

import pytest

from acd.access.principals import Role
from acd.store.tables import CommandRow
from acd.web.requests import WEBHOOKS
from acd.web.webhooks import OPERATIONS
from tests.helpers import until
from tests.test_webhooks import Receiver, receiving
from tests.web.house import House, check_problem
from tests.web.switch import Call

W = "/api/v1/webhooks"


@pytest.fixture
async def receiver():
    async with receiving() as receiver:
        yield receiver


async def made(house: House, receiver: Receiver, **more: object):
    answer = await house.call("POST", W, {"url": receiver.url, **more})
    assert answer.status == 201, answer.text
    return answer.body


async def test_a_receiver_gets_what_the_stream_tells(house, receiver):
    webhook = await made(house, receiver, types=["call"], queues=["sales"])
    house.switch.join(Call("c1", "support"))
    house.switch.join(Call("c2", "sales", caller="5551234"))
    await until(lambda: receiver.requests, what="posted")
    envelope = receiver.bodies[0]["envelopes"][0]
    assert (envelope["type"], envelope["event"], envelope["subject"]["call"]) == ("call", "QUEUED", "c2")
    assert envelope["subject"]["caller"] == "5551234"
    assert receiver.bodies[0]["webhook"] == webhook["id"]


async def test_one_who_needs_what_is_gone_gets_the_picture(house, receiver):
    webhook = await made(house, receiver, paused=True)
    await house.ready()
    house.feed._oldest = house.feed.seq + 1  # as after a crash
    house.feed.seq += 1
    body = {"url": receiver.url}
    assert (await house.call("PUT", f"{W}/{webhook['id']}", body)).status == 200
    await until(lambda: receiver.requests, what="posted")
    reset = receiver.bodies[0]["envelopes"][0]
    assert (reset["type"], reset["event"]) == ("reset", "RESET")
    picture = (await house.call("GET", "/api/v1/picture")).body
    assert reset["subject"]["handlers"][0].keys() == picture["handlers"][0].keys()
    assert [each["agent"] for each in reset["subject"]["handlers"][0]["agents"]] == ["1001"]


async def test_it_is_shown_with_how_it_goes_and_its_secret_only_once(house, receiver, monkeypatch):
    monkeypatch.setattr("acd.webhooks.SHORTEST_WAIT", 0.01)
    webhook = await made(house, receiver, types=["call", "queue"])
    secret = webhook.pop("secret")
    assert len(secret) > 40
    assert (webhook["types"], webhook["queues"], webhook["paused"]) == (["call", "queue"], None, False)
    assert (webhook["last_success"], webhook["last_error"], webhook["failures"]) == (None, None, 0)
    assert (webhook["created_by"], webhook["behind"]) == ("api-token", 0)
    for path in (f"{W}/{webhook['id']}", W):
        answer = await house.call("GET", path)
        assert answer.status == 200 and secret not in answer.text
    assert answer.body["items"][0].keys() == webhook.keys()
    assert answer.body["items"][0]["id"] == webhook["id"]
    hook = house.app[WEBHOOKS].get(webhook["id"])
    receiver.statuses = [500] * 1000
    house.switch.join(Call("c1", "support"))
    await until(lambda: hook.failures >= 2, what="two failures")
    shown = (await house.call("GET", f"{W}/{webhook['id']}")).body
    assert shown["failures"] >= 2 and shown["behind"] >= 1
    assert (shown["last_success"], shown["last_error"]) == (None, "500 Internal Server Error")
    receiver.statuses.clear()
    await until(lambda: hook.row.last_success is not None, what="accepted")
    shown = (await house.call("GET", f"{W}/{webhook['id']}")).body
    assert (shown["failures"], shown["last_error"], shown["last_success"][-1]) == (0, None, "Z")


async def test_a_change_replaces_the_address_and_the_filter_and_keeps_place_and_secret(house, receiver):
    webhook = await made(house, receiver, types=["call"], secret="0123456789abcdef")
    assert webhook["secret"] == "0123456789abcdef"
    path = f"{W}/{webhook['id']}"
    answer = await house.call("PUT", path, {"url": receiver.url, "queues": ["sales"], "paused": True})
    assert (answer.status, "secret" in answer.body) == (200, False)
    assert (answer.body["types"], answer.body["queues"], answer.body["paused"]) == (None, ["sales"], True)
    house.switch.join(Call("c1", "sales"))
    await until(lambda: house.center.state.queues["sales"].waiting, what="waiting")
    assert not receiver.requests
    assert (await house.call("GET", path)).body["position"] == webhook["position"]
    await house.call("PUT", path, {"url": receiver.url, "types": ["call"]})
    await until(lambda: receiver.requests, what="posted")
    assert (await house.call("DELETE", path)).status == 204
    assert (await house.refused("GET", path)).body["code"] == "unknown-webhook"
    assert (await house.call("GET", W)).body["items"] == []


async def test_a_test_tells_what_the_receiver_answers_also_when_it_is_paused(house, receiver):
    webhook = await made(house, receiver, paused=True)
    path = f"{W}/{webhook['id']}/test"
    answer = (await house.call("POST", path)).body
    assert (answer["accepted"], answer["status"], answer["error"]) == (True, 200, None)
    assert 0 < answer["seconds"] < 5
    assert receiver.bodies[0]["envelopes"][0]["seq"] == 0
    receiver.statuses = [503]
    answer = (await house.call("POST", path)).body
    assert (answer["accepted"], answer["status"], answer["error"]) == (False, 503, "503 Service Unavailable")
    await house.call("PUT", f"{W}/{webhook['id']}", {"url": "http://127.0.0.1:9/", "paused": True})
    answer = (await house.call("POST", path)).body
    assert (answer["accepted"], answer["status"]) == (False, None)
    assert "Cannot connect" in answer["error"]


async def test_nobody_but_an_administrator_may_see_or_do_anything_here(house, receiver):
    webhook = await made(house, receiver)
    await house.agent()
    reach = {
        Role.SUPERVISOR: {},
        Role.INTEGRATION: {},
        Role.AGENT: {"handler": "main", "agent": "1001"},
    }
    assert len(OPERATIONS) == 6
    for role, more in reach.items():
        token = house.register.make_token("test", role, "test", **more).text
        for operation in OPERATIONS:
            path = operation.path.replace("{webhook}", webhook["id"])
            answer = await house.call(operation.method, path, {"url": receiver.url}, token=token)
            check_problem(answer)
            assert (answer.status, answer.body["code"]) == (403, "forbidden"), (role, operation.method, path)
    assert len((await house.call("GET", W)).body["items"]) == 1
    assert not [body for body in receiver.bodies if body["envelopes"][0]["event"] == "TEST"]


@pytest.mark.parametrize("name", ["PUT", "DELETE", "GET", "test"])
async def test_one_that_is_not_there_is_unknown(house, name):
    path, method = (f"{W}/nobody/test", "POST") if name == "test" else (f"{W}/nobody", name)
    answer = await house.refused(method, path, {"url": "http://127.0.0.1:9/"})
    assert (answer.status, answer.body["code"]) == (404, "unknown-webhook")


async def test_beyond_the_most_a_new_one_is_refused(house, receiver, monkeypatch):
    monkeypatch.setattr("acd.webhooks.MOST", 1)
    await made(house, receiver)
    answer = await house.refused("POST", W, {"url": receiver.url})
    assert (answer.status, answer.body["code"]) == (409, "too-many-webhooks")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.url"),
        ({"url": ""}, "body.url"),
        ({"url": "example.com"}, "body.url"),
        ({"url": "ftp://example.com/"}, "body.url"),
        ({"url": "file:///etc/passwd"}, "body.url"),
        ({"url": "http://"}, "body.url"),
        ({"url": "http://a:99999/"}, "body.url"),
        ({"url": "http://[::1"}, "body.url"),
        ({"url": "http://a/\n"}, "body.url"),
        ({"url": "http://user:word@example.com/"}, "body.url"),
        ({"url": "http://" + "é" * 300 + "/"}, "body.url"),
        ({"url": "http://a/" + "x" * 2000}, "body.url"),
        ({"url": "http://a/", "types": []}, "body.types"),
        ({"url": "http://a/", "types": "call"}, "body.types"),
        ({"url": "http://a/", "queues": ["\ud800"]}, "body.queues.0"),
        ({"url": "http://a/", "secret": "short"}, "body.secret"),
        ({"url": "http://a/", "paused": "yes"}, "body.paused"),
        ({"url": "http://a/", "type": ["call"]}, "body.type"),
    ],
)
async def test_what_does_not_fit_is_named(house, body, field):
    answer = await house.refused("POST", W, body)
    assert (answer.status, answer.fields) == (422, [field])
    assert (await house.call("GET", W)).body["items"] == []


async def test_the_secret_is_not_in_the_log_of_commands(house, receiver):
    await made(house, receiver, secret="0123456789abcdef")
    await house.store.written()
    rows = [row for row in house.store.rows(CommandRow) if row.path == W]
    assert len(rows) == 1 and json.loads(str(rows[0].body))["url"] == receiver.url
    assert "0123456789abcdef" not in str(rows[0].body)


async def test_a_receiver_that_hangs_does_not_hold_up_the_end_of_acd(house, receiver):
    receiver.held.clear()
    await made(house, receiver)
    house.switch.join(Call("c1", "support"))
    await until(lambda: receiver.requests, what="posted")
    began = time.monotonic()
    await house.client.close()
    assert time.monotonic() - began < 1.0
    receiver.held.set()
