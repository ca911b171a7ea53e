"""The link against a fake Asterisk on a real socket."""

import asyncio
import logging
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from acd.asterisk.link import (
    Connection,
    Link,
    LinkError,
    Login,
    LoginRefused,
    NoAnswer,
    NotConnected,
    Refused,
    Stats,
    Unsendable,
)
from acd.asterisk.message import Message
from tests.asterisk.fake_ami import (
    WANTED,
    FakeAsterisk,
    Listener,
    block,
    error,
    event,
    event_list,
    linked,
    response,
    running,
    success,
)
from tests.helpers import until
from tests.recordings import NAMES, received


class NoTransport:
    """A transport that goes nowhere, to feed a connection by hand."""

    def write(self, data: bytes) -> None:
        pass

    def abort(self) -> None:
        pass


def heard(data: bytes, size: int, wanted: tuple[str, ...] = WANTED) -> tuple[list[str], Stats]:
    """What a connection hands over of these bytes when they come in pieces of this size."""
    messages: list[str] = []
    stats = Stats()
    connection = Connection(wanted, lambda message, _: messages.append(str(message)), stats)
    connection.connection_made(cast(Any, NoTransport()))
    connection.go_live()
    for at in range(0, len(data), size):
        connection.data_received(data[at : at + size])
    return messages, stats


# the life of the link


async def test_the_link_logs_in_waits_for_the_boot_takes_the_picture_and_is_linked():
    listener = Listener()
    async with linked(listener) as (server, link):
        assert link.linked
        assert link.problem == ""
        assert listener.told == ["picture"]
        assert link.fully_booted is not None and link.fully_booted.get("Uptime") == "359"
        assert server.received[0]["Action"] == "Login"


async def test_the_picture_waits_until_asterisk_has_booted():
    listener = Listener()
    async with FakeAsterisk() as server:
        server.booted = False
        async with running(server, listener) as link:
            await until(lambda: "Ping" in [a["Action"] for a in server.received])
            assert not link.linked and not listener.told
            server.boot()
            await until(lambda: link.linked)


async def test_without_fully_booted_the_link_says_what_may_be_wrong_and_tries_again():
    listener = Listener()
    async with FakeAsterisk() as server:
        server.booted = False
        async with running(server, listener, boot_timeout=0.05) as link:
            await until(lambda: server.connects >= 2)
            assert "may not read the class 'system'" in link.problem
    assert listener.told == []


async def test_fully_booted_is_handed_over_when_it_is_wanted():
    listener = Listener()
    async with linked(listener, wanted=["FullyBooted"]):
        assert listener.told == ["picture", "FullyBooted"]


async def test_live_messages_are_held_during_the_picture_and_then_come_in_order():
    listener = Listener()
    async with FakeAsterisk() as server:

        async def picture(link: Link) -> None:
            server.push(event("QueueCallerJoin", Queue="a"))
            server.answers["QueueStatus"] = event_list("Queue status will follow", ("QueueParams", {"Queue": "a"}))
            assert [m.get("Queue") for m in await link.list_of("QueueStatus")] == ["a"]
            server.push(event("QueueMemberPause", Queue="a"))
            await link.send("Ping")
            assert listener.told == [] and not link.linked

        listener.picture = picture
        async with running(server, listener) as link:
            await until(lambda: link.linked)
            server.push(event("UserEvent"))
            await until(lambda: len(listener.told) == 4)
            assert listener.told == ["picture", "QueueCallerJoin", "QueueMemberPause", "UserEvent"]
            assert link.stats.held_high_water == 2


async def test_too_many_held_messages_drop_the_link():
    listener = Listener()
    async with FakeAsterisk() as server:

        async def picture(link: Link) -> None:
            server.push(event("UserEvent") * 11)
            await asyncio.sleep(60)

        listener.picture = picture
        async with running(server, listener, max_held=10) as link:
            await until(lambda: listener.losses)
            assert listener.told == ["loss: more than 10 messages came while the picture was taken"]
            assert not link.linked


async def test_a_picture_that_fails_drops_the_link_and_is_taken_again(caplog: pytest.LogCaptureFixture):
    listener = Listener()
    tries = 0

    async def picture(_: Link) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ValueError("no such queue")

    listener.picture = picture
    async with linked(listener):
        assert listener.told == ["loss: the picture could not be taken: no such queue", "picture"]
        assert "Traceback" in caplog.text


async def test_the_loss_of_the_link_ends_a_picture_being_taken_and_is_told_after_it():
    listener = Listener()
    async with FakeAsterisk() as server:

        async def picture(link: Link) -> None:
            try:
                server.cut()
                await asyncio.sleep(60)
            finally:
                listener.told.append("picture ended")

        listener.picture = picture
        async with running(server, listener):
            await until(lambda: listener.losses)
            assert listener.told[:2] == ["picture ended", "loss: Asterisk closed the connection"]


async def test_the_link_comes_back_after_a_loss_and_tells_each_once():
    listener = Listener()
    async with linked(listener) as (server, link):
        server.push(event("UserEvent"))
        server.cut()
        await until(lambda: link.stats.reconnects == 1)
        server.push(event("QueueCallerJoin"))
        await until(lambda: "QueueCallerJoin" in listener.told)
    loss = "loss: Asterisk closed the connection"
    assert listener.told == ["picture", "UserEvent", loss, "picture", "QueueCallerJoin", "loss: the link was closed"]
    assert link.stats.lost_links == 2


async def test_an_asterisk_that_is_not_there_is_tried_again_with_growing_pauses():
    async with FakeAsterisk() as server:
        pass
    async with running(server) as link:
        await until(lambda: "Connect call failed" in link.problem)
        async with server:
            await until(lambda: link.linked)


def test_the_pauses_grow_to_their_limit_and_are_longer_after_a_refused_login():
    link = Link(Login("h", 1, "u", "s"), wanted=[], on_message=print, on_login=cast(Any, None), on_loss=print)
    pauses = [link._pause_after(OSError()) for _ in range(8)]
    assert all(low <= pause <= low * 1.25 for pause, low in zip(pauses, [0.25, 0.5, 1, 2, 3, 3, 3, 3], strict=True))
    assert 60 <= link._pause_after(LoginRefused()) <= 75
    assert sum(link._pause_after(LoginRefused()) for _ in range(4)) > 600  # fail2ban: five in ten minutes


async def test_a_refused_login_is_said_plainly_and_never_with_the_secret(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    listener = Listener()
    async with FakeAsterisk() as server, running(server, listener, secret="battery staple") as link:
        await until(lambda: link.stats.logins_refused == 2)
        assert link.problem == "Asterisk refused the log-in: Authentication failed"
        assert f"No link to Asterisk at 127.0.0.1:{server.port} as acd: Asterisk refused" in caplog.text
        assert "battery" not in caplog.text + repr(link.login)
        with pytest.raises(NotConnected, match="Authentication failed"):
            await link.send("Ping")
    assert listener.told == []


async def test_a_connection_that_is_not_made_in_time_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    async with linked(connect_timeout=0.05) as (server, link):
        with monkeypatch.context() as patched:
            patched.setattr(link._manager, "connect", lambda: asyncio.sleep(60))
            server.cut()
            await until(lambda: link.problem == "no connection within 0.05 s")
        await until(lambda: link.linked)


async def test_a_server_that_never_answers_the_login_is_left():
    async with FakeAsterisk() as server:
        server.silent = True
        async with running(server, action_timeout=0.05) as link:
            await until(lambda: server.connects >= 2)
            assert "did not answer Login" in link.problem


async def test_a_silent_asterisk_is_noticed_by_its_missing_pongs():
    listener = Listener()
    async with linked(listener, ping_every=0.05, action_timeout=0.2) as (server, link):
        server.silent = True
        await until(lambda: listener.losses)
        assert listener.losses == ["Asterisk left 2 pings in a row unanswered"]
        server.silent = False
        await until(lambda: link.linked)


async def test_one_missed_ping_is_forgiven():
    listener = Listener()
    async with linked(listener, ping_every=0.05) as (server, link):
        pings = 0

        def every_second(action: dict[str, str]) -> bytes:
            nonlocal pings
            pings += 1
            return server._ping(action) if pings % 2 else b""

        server.answers["Ping"] = every_second
        await until(lambda: pings >= 6)
        assert link.linked and not listener.losses


async def test_a_pong_may_stand_in_line_behind_a_long_list():
    async with linked(ping_every=0.02) as (server, link):
        server.answers["Status"] = event_list("Channel status will follow", end="")
        waiting = asyncio.create_task(link.list_of("Status"))
        await until(lambda: server.names() == ["Status"])
        server.silent = True
        action_id = next(a["ActionID"] for a in server.received if a["Action"] == "Status")
        pings = len(server.received)
        while len(server.received) < pings + 6:
            server.push(event("Status", ActionID=action_id))
            await asyncio.sleep(0.005)
        assert link.linked
        server.silent = False
        server.push(event("StatusComplete", ActionID=action_id, EventList="Complete"))
        assert len(await waiting) > 0


async def test_close_ends_run_even_while_connecting_or_waiting():
    async with FakeAsterisk() as server:
        pass
    async with running(server, backoff=(60, 60)) as link:
        await until(lambda: link.problem != "not connected yet")
    async with running(server):
        pass  # closed before it began


async def test_a_closed_link_does_not_run_again():
    async with linked() as (server, link):
        await link.close()
        await link.run()
        assert server.connects == 1


async def test_cancelling_run_closes_the_link_and_tells_the_loss():
    listener = Listener()
    async with FakeAsterisk() as server:
        login = Login("127.0.0.1", server.port, server.username, server.secret)
        told = {"on_message": listener.on_message, "on_login": listener.on_login, "on_loss": listener.on_loss}
        link = Link(login, wanted=WANTED, **cast(Any, told))
        run = asyncio.create_task(link.run())
        await until(lambda: link.linked)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert listener.told == ["picture", "loss: the link was closed"]
        await until(lambda: not server.open_connections)


async def test_a_failing_on_loss_does_not_end_the_link():
    def on_loss(_: str) -> None:
        raise ZeroDivisionError

    async with linked(on_loss=on_loss) as (server, link):
        server.cut()
        await until(lambda: link.stats.reconnects == 1)


async def test_a_trouble_that_nobody_expected_is_logged_and_tried_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    async with linked() as (server, link):

        def connect() -> None:
            monkeypatch.undo()
            raise AttributeError("wrap_bio")

        monkeypatch.setattr(link._manager, "connect", connect)
        server.cut()
        await until(lambda: link.stats.reconnects == 1)
        assert "wrap_bio; next try" in caplog.text and "Traceback" in caplog.text


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
async def test_the_link_speaks_tls_and_checks_whom_it_speaks_to(tmp_path: Path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=fake -addext subjectAltName=IP:127.0.0.1"
    made = [*options.split(), "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(["openssl", *made], check=True, capture_output=True)
    ours, strangers = ssl.create_default_context(cafile=str(certificate)), ssl.create_default_context()
    server = FakeAsterisk()
    server.ssl = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.ssl.load_cert_chain(certificate, key)
    async with server:
        async with running(server, ssl=ours) as link:
            await until(lambda: link.linked)
            await link.send("Ping")
        async with running(server, ssl=strangers) as link:
            await until(lambda: "certificate verify failed" in link.problem)


# reading


async def test_only_wanted_events_are_handed_over_with_our_time_of_their_arrival():
    listener = Listener()
    async with linked(listener, clock=lambda: 1000.5) as (server, link):
        server.push(event("VarSet", Value="x") + event("QueueCallerJoin", Queue="support") + event("QueueCallerJoined"))
        server.push(event("UserEvent"))
        await until(lambda: len(listener.messages) == 2)
        assert listener.messages[0].get("Queue") == "support"
        assert listener.times == [1000.5, 1000.5]
        assert link.stats.wanted == 2


def test_names_are_exact_also_where_the_name_is_the_whole_message():
    messages, stats = heard(block("Event: UserEventX") + block("Event: UserEven") + block("Event: UserEvent"), 1000)
    assert messages == ["Event: UserEvent"]
    assert stats.messages == 3


@pytest.mark.parametrize("name", [n for n in NAMES if n != "v-load-30-callers"])
def test_a_recording_is_heard_the_same_however_it_was_split(name: str):
    wanted = ("QueueCallerJoin", "QueueMemberStatus", "AgentConnect", "BridgeEnter", "Hangup", "QueueMemberPause")
    whole = received(name)
    messages, stats = heard(whole, len(whole), wanted)
    assert stats.broken == 0
    for size in (7, 61, 1021):
        assert heard(whole, size, wanted) == (messages, stats)


def test_more_than_one_empty_line_and_a_crlf_lf_end_hurt_nothing():
    stream = b"\r\n" + event("UserEvent", A=1)[:-2] + b"\n"  # as CoreShowChannelMap once ended
    stream += event("UserEvent", A=2) + b"\r\n\r\n\r\n" + event("UserEvent")
    for size in range(1, len(stream)):
        messages, stats = heard(stream, size)
        assert len(messages) == stats.messages == 3
        assert stats.broken == 0


def test_a_broken_block_is_counted_and_logged_shortly(caplog: pytest.LogCaptureFixture):
    messages, stats = heard(block("Exten: 1", "Injected: " + "x" * 500) + event("UserEvent"), 1000)
    assert messages == ["Event: UserEvent"]
    assert stats.broken == 1
    assert len(caplog.records) == 1
    assert "Exten: 1" in caplog.text and "x" * 200 not in caplog.text


async def test_a_handler_that_fails_costs_one_message_and_its_text_is_logged(caplog: pytest.LogCaptureFixture):
    seen: list[str] = []

    def on_message(message: Message, _: float) -> None:
        seen.append(message.event)
        if message.get("Queue") == "bad":
            raise ZeroDivisionError

    async with linked(on_message=on_message) as (server, link):
        server.push(event("UserEvent", Queue="bad") + event("QueueCallerJoin"))
        await until(lambda: seen == ["UserEvent", "QueueCallerJoin"])
        assert link.stats.handler_errors == 1 and link.linked
        assert "Queue: bad" in caplog.text and "ZeroDivisionError" in caplog.text


async def test_a_cut_in_the_middle_of_a_message_loses_only_that_one():
    listener = Listener()
    async with linked(listener) as (server, link):
        server.push(event("UserEvent") + b"Event: QueueCallerJoin\r\nQueue: su")
        server.cut()
        await until(lambda: link.stats.reconnects == 1)
        assert listener.losses == ["Asterisk closed the connection in the middle of a message"]
        assert [m.event for m in listener.messages] == ["UserEvent"]


async def test_a_message_without_end_drops_the_link():
    listener = Listener()
    async with linked(listener, max_message=10_000) as (server, _):
        server.push(b"Event: " + b"x" * 20_000)
        await until(lambda: listener.losses)
        assert listener.losses == ["Asterisk sent a message longer than 10000 bytes"]


# sending


async def test_an_action_is_answered_with_its_response():
    async with linked() as (server, link):
        server.answers["QueueAdd"] = success("Added interface to queue")
        answer = await link.send("QueueAdd", {"Queue": "support", "Interface": "PJSIP/agent1"})
        assert answer.get("Message") == "Added interface to queue"
        assert server.received[-1].items() >= {"Queue": "support", "Interface": "PJSIP/agent1"}.items()


async def test_a_refusal_carries_the_words_of_asterisk():
    async with linked() as (server, link):
        server.answers["QueueAdd"] = error("Unable to add interface: Already there")
        with pytest.raises(Refused, match="QueueAdd: Unable") as refused:
            await link.send("QueueAdd")
        assert refused.value.text == "Unable to add interface: Already there"


async def test_a_list_comes_without_its_start_and_end():
    items = [("QueueParams", {"Queue": "a"}), ("QueueMember", {"Name": "Ирина"})]
    async with linked() as (server, link):
        server.answers["QueueStatus"] = event_list("Queue status will follow", *items)
        answer = await link.list_of("QueueStatus")
        assert [m.event for m in answer] == ["QueueParams", "QueueMember"]
        assert answer[1].get("Name") == "Ирина"
        server.answers["QueueStatus"] = event_list("Queue status will follow")
        assert await link.list_of("QueueStatus") == []


async def test_a_list_is_read_while_it_comes():
    read = []
    async with linked() as (server, link):
        server.answers["QueueStatus"] = None
        asked = asyncio.create_task(link.read_list("QueueStatus", lambda m: read.append(m.get("Name")) or len(read)))
        await until(lambda: server.names()[-1:] == ["QueueStatus"])
        items = [("QueueMember", {"Name": name}) for name in ("alice", "bob")]
        first, *blocks, _ = event_list("Queue status will follow", *items)(server.received[-1]).split(b"\r\n\r\n")
        server.push(first + b"\r\n\r\n" + blocks[0] + b"\r\n\r\n")
        await until(lambda: read == ["alice"])
        server.push(b"\r\n\r\n".join([*blocks[1:], b""]))
        assert await asked == [1, 2]


async def test_an_item_that_cannot_be_read_is_told_to_him_who_asked_and_costs_no_connection():
    async with linked() as (server, link):
        items = [("QueueMember", {"Name": name}) for name in ("1", "x", "3", "y")]
        server.answers["QueueStatus"] = event_list("Queue status will follow", *items)
        with pytest.raises(ValueError, match="'x'"):
            await link.read_list("QueueStatus", lambda message: int(message.get("Name")))
        assert link.linked
        assert len(await link.list_of("QueueStatus")) == 4


async def test_a_list_may_take_longer_than_the_time_limit_as_long_as_it_goes_on():
    async with linked() as (server, link):
        server.answers["QueueStatus"] = None
        asked = asyncio.create_task(link.list_of("QueueStatus", timeout=2))
        await until(lambda: server.names()[-1:] == ["QueueStatus"])
        items = [("QueueMember", {"Name": name}) for name in ("alice", "bob")]
        answer = event_list("Queue status will follow", *items)(server.received[-1])
        *blocks, _ = answer.split(b"\r\n\r\n")
        for block in blocks:
            server.push(block + b"\r\n\r\n")
            await asyncio.sleep(0.7)  # all of them together take longer than the limit
        assert [message.get("Name") for message in await asked] == ["alice", "bob"]


async def test_an_answer_that_is_no_list_is_an_empty_list():
    async with linked() as (_, link):
        assert await link.list_of("Ping") == []


async def test_live_events_between_the_items_of_a_list_are_handed_over():
    listener = Listener()
    async with linked(listener) as (server, link):

        def answer(action: dict[str, str]) -> bytes:
            own = {"ActionID": action["ActionID"]}
            return (
                response("Success", "EventList: start")(action)
                + event("QueueMember", **own)
                + event("UserEvent", ActionID="somebody/else")
                + event("QueueStatusComplete", **own, EventList="Complete")
            )

        server.answers["QueueStatus"] = answer
        assert len(await link.list_of("QueueStatus")) == 1
        assert listener.told == ["picture", "UserEvent"]


async def test_two_actions_answered_in_the_other_order_get_their_own_answers():
    async with linked() as (server, link):
        server.answers |= {"Getvar": None, "DBGet": None}
        first, second = asyncio.create_task(link.send("Getvar")), asyncio.create_task(link.send("DBGet"))
        await until(lambda: len(server.names()) == 2)
        for action in reversed([a for a in server.received if a["Action"] in ("Getvar", "DBGet")]):
            server.push(success(action["Action"])(action))
        assert ((await first).get("Message"), (await second).get("Message")) == ("Getvar", "DBGet")


async def test_an_answer_that_comes_too_late_is_noted_and_hurts_nothing(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    async with linked() as (server, link):
        server.answers["QueuePause"] = None
        with pytest.raises(NoAnswer, match="QueuePause in time"):
            await link.send("QueuePause", timeout=0.02)
        server.push(success("Interface paused successfully")(server.received[-1]))
        await until(lambda: "Nobody waits" in caplog.text)
        await link.send("Ping")


async def test_no_wait_is_left_behind():
    async with linked() as (server, link):
        server.answers["QueuePause"] = None
        with pytest.raises(NoAnswer):
            await link.send("QueuePause", timeout=0.01)
        waiting = asyncio.create_task(link.send("QueuePause"))
        await until(lambda: len(server.names()) == 2)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert link._connection is not None and link._connection.responses == {}


async def test_the_loss_of_the_link_ends_all_waits_at_once_and_nothing_is_sent_again():
    async with linked(action_timeout=60) as (server, link):
        server.answers |= {"Originate": None, "QueueStatus": event_list("will follow", ("QueueParams", {}), end="")}
        waits = [asyncio.create_task(link.send("Originate")), asyncio.create_task(link.list_of("QueueStatus"))]
        await until(lambda: len(server.names()) == 2)
        server.cut()
        results = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 2)
        assert [type(r) for r in results] == [NoAnswer, NoAnswer]
        await until(lambda: link.stats.reconnects == 1)
        await link.send("Ping")
        assert server.names() == ["Originate", "QueueStatus"]


async def test_without_a_link_nothing_is_sent():
    async with FakeAsterisk() as server:
        login = Login("127.0.0.1", server.port, "acd", "x")
        link = Link(login, wanted=[], on_message=print, on_login=cast(Any, None), on_loss=print)
        with pytest.raises(NotConnected, match="not connected yet"):
            await link.send("QueuePause")
    async with linked() as (server, link):
        await link.close()
        with pytest.raises(NotConnected, match="the link was closed"):
            await link.send("QueuePause")
        assert server.names() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Reason": "lunch\r\n\r\nAction: DBPut"},
        {"Reason": "lunch\n"},
        {"Reason": "lunch\r"},
        {"Reason": "lunch\0"},
        {"Reason": "\ud800"},
        {"Reason": None},
        {"Penalty": 1},
        {"Variable": ["a=1", "b=2"]},
        {"Reason": "x" * (1024 - len("Reason: \r\n") + 1)},
        {"Reason": "é" * 510},
        {"Reason\r\nAction": "DBPut"},
        {"Reason: x": "y"},
        {"Account ": "x"},
        {"": "x"},
        {1: "x"},
        {"action": "DBPut"},
        {"ActionID": "1"},
        {f"H{n}": "x" for n in range(127)},
    ],
)
async def test_what_ami_cannot_carry_is_not_sent(headers: Any):
    async with linked() as (server, link):
        with pytest.raises(Unsendable) as refused:
            await link.send("QueuePause", headers)
        assert "lunch" not in str(refused.value)
        with pytest.raises(Unsendable):
            await link.list_of("QueuePause", headers)
        await link.send("Ping")
        assert server.names() == []
        assert isinstance(refused.value, LinkError | ValueError)


@pytest.mark.parametrize("action", ["", "Queue Pause", "Ping\r\nX: y", "Ping\n", None])
async def test_an_action_has_a_plain_name(action: Any):
    async with linked() as (_, link):
        with pytest.raises(Unsendable):
            await link.send(action)


async def test_the_longest_line_and_the_most_headers_are_sent():
    async with linked() as (server, link):
        server.answers["UserEvent"] = success("Event Sent")
        await link.send("UserEvent", {"Reason": "x" * (1024 - len("Reason: \r\n"))})
        await link.send("UserEvent", {f"H{n}": "x" for n in range(126)})


def test_a_secret_that_ami_cannot_carry_is_refused_at_once_and_not_shown():
    with pytest.raises(Unsendable) as refused:
        Link(Login("h", 1, "u", "s3\ncret"), wanted=[], on_message=print, on_login=cast(Any, None), on_loss=print)
    assert "cret" not in str(refused.value).replace("Secret", "")


async def test_an_asterisk_that_does_not_read_is_not_written_to_without_limit():
    async with linked(max_unsent=10_000, action_timeout=60) as (server, link):
        server.answers["UserEvent"] = None
        server.deaf = True
        headers = {f"H{n}": "x" * 1000 for n in range(60)}
        waits = []
        with pytest.raises(NotConnected, match="does not read"):
            for _ in range(1000):
                waits.append(asyncio.create_task(link.send("UserEvent", headers)))
                await asyncio.sleep(0)
                if waits[-1].done():
                    await waits[-1]
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)


# clocks


async def test_the_clock_of_asterisk_is_known_at_the_picture_and_followed():
    offsets = []
    listener = Listener()

    async def picture(link: Link) -> None:
        offsets.append(link.clock_offset)

    listener.picture = picture
    async with FakeAsterisk() as server:
        server.clock_ahead = 7.0
        async with running(server, listener, ping_every=0.02) as link:
            await until(lambda: link.linked)
            assert offsets[0] == pytest.approx(7, abs=0.2)
            server.clock_ahead = -3.0
            await until(lambda: link.clock_offset == pytest.approx(-3, abs=0.2))


def test_the_clock_offset_does_not_tremble():
    link = Link(Login("h", 1, "u", "s"), wanted=[], on_message=print, on_login=cast(Any, None), on_loss=print)
    link._compare_clocks("100.003", 99.99, 100.01)
    assert link.clock_offset == 0
    link._compare_clocks("100.5", 99.99, 100.01)
    assert link.clock_offset == pytest.approx(0.5)
    link._compare_clocks("100.51", 99.99, 100.01)
    assert link.clock_offset == pytest.approx(0.5)
    for nonsense in (None, "", "soon"):
        link._compare_clocks(nonsense, 99.99, 100.01)
    assert link.clock_offset == pytest.approx(0.5)


async def test_what_is_heard_since_the_login_can_be_handed_over_before_the_picture_is_whole():
    listener = Listener()
    linked: list[bool] = []

    async def picture(link: Link) -> None:
        server.push(event("QueueCallerJoin", Queue="early"))
        await link.send("Ping")
        assert listener.messages == [], "it is held"
        link.hand_over()
        assert [message.get("Queue") for message in listener.messages] == ["early"]
        server.push(event("QueueCallerJoin", Queue="meanwhile"))
        await link.send("Ping")
        linked.append(link.linked)
        assert len(listener.messages) == 1, "it is held again"

    listener.picture = picture
    async with FakeAsterisk() as server, running(server, listener) as link:
        await until(lambda: link.linked)
        server.push(event("QueueCallerJoin", Queue="later"))
        await until(lambda: [message.get("Queue") for message in listener.messages] == ["early", "meanwhile", "later"])
    assert linked == [False]
