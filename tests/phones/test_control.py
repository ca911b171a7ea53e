"""Phone against a phone host of a few lines, over a real socket."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from phones import control
from phones.control import Phone, PhoneError
from phones.hearing import BLOCK, Hearing
from phones.line import Line
from phones.netstring import Decoder, encode
from phones.sound import RATE

ON_THE_DESK = Line(registered=True).to_message()


class FakeHost:
    """Answers every order with ok and remembers it; `say` sends an event to the phone's driver."""

    def __init__(self):
        self.orders = []
        self.writers = []
        self.refuse = set()
        self.hearing = Hearing(Path())
        self.plays = []  # blocks, one for each question; the last one again and again

    async def serve(self, reader, writer):
        self.writers.append(writer)
        writer.write(encode(ON_THE_DESK))
        decoder = Decoder()
        while data := await reader.read(4096):
            for order in decoder.feed(data):
                self.take(order, writer)

    def take(self, order, writer):
        self.orders.append((order["command"], order.get("params")))
        ok = order["command"] not in self.refuse
        answer = {"response": True, "ok": ok, "data": "call id: x1\n", "token": order["token"]}
        if order["command"] == "heard":
            self.hearing.take(self.plays.pop(0) if self.plays[1:] else b"".join(self.plays))
            answer |= self.hearing.to_message()
        writer.write(encode(answer))

    def say(self, kind, call="a", **more):
        event = {"event": True, "type": kind, "id": call, "peeruri": "sip:555@asterisk", **more}
        self.writers[-1].write(encode({"accountaor": "sip:1001@asterisk", **event}))


@contextlib.asynccontextmanager
async def desk():
    host = FakeHost()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    try:
        async with Phone(1001, "127.0.0.1", server.sockets[0].getsockname()[1]) as phone:
            yield host, phone
    finally:
        server.close()
        for writer in host.writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_a_phone_knows_from_the_start_whether_it_is_registered():
    async with desk() as (_, phone):
        assert phone.registered


async def test_dialling_gives_the_id_of_the_call():
    async with desk() as (host, phone):
        assert await phone.dial("600") == "x1"
        assert host.orders == [("dial", "600")]


async def test_an_order_the_phone_refuses_is_an_error_with_its_words():
    async with desk() as (host, phone):
        host.refuse.add("dial")
        with pytest.raises(PhoneError, match="1001: dial 600: call id: x1"):
            await phone.dial("600")


async def test_an_event_that_came_before_it_was_waited_for_is_not_missed_and_not_seen_twice():
    async with desk() as (host, phone):
        host.say("CALL_INCOMING", "a")
        host.say("CALL_INCOMING", "b")
        await phone.wait_for("CALL_INCOMING", where=lambda event: event.call == "b")
        with pytest.raises(PhoneError, match=r"no CALL_INCOMING within 0\.05 s; heard last: .*CALL_INCOMING"):
            await phone.wait_for("CALL_INCOMING", 0.05)


async def test_answering_means_the_call_that_rings():
    async with desk() as (host, phone):
        host.say("CALL_ESTABLISHED", "a")
        host.say("CALL_INCOMING", "b")
        await phone.wait_for("CALL_INCOMING")
        await phone.answer()
        assert host.orders == [("accept", "b")]


async def test_without_a_call_that_rings_there_is_nothing_to_answer():
    async with desk() as (_, phone):
        with pytest.raises(PhoneError, match="no call is incoming"):
            await phone.answer()


async def test_a_phone_on_auto_answer_answers_after_the_delay_only_calls_that_still_ring():
    async with desk() as (host, phone), phone.auto_answer(0.1):
        host.say("CALL_INCOMING", "gone")
        host.say("CALL_CLOSED", "gone")
        host.say("CALL_INCOMING", "b")
        await asyncio.sleep(0.05)
        assert host.orders == []
        await asyncio.sleep(0.1)
        assert host.orders == [("accept", "b")]


async def test_resuming_is_done_when_the_other_side_agrees_whatever_baresip_answers():
    async with desk() as (host, phone):
        host.refuse.add("resume")
        host.say("CALL_ESTABLISHED")
        host.say("CALL_REMOTE_SDP", param="answer", remoteaudiodir="sendonly")
        await phone.wait_for("CALL_REMOTE_SDP")
        assert phone.calls[0].held
        resuming = asyncio.create_task(phone.resume())
        await asyncio.sleep(0.05)
        assert not resuming.done()
        host.say("CALL_REMOTE_SDP", param="answer", remoteaudiodir="sendrecv")
        await resuming
        assert not phone.calls[0].held


async def test_a_bare_number_is_transferred_to_within_the_phones_own_domain():
    async with desk() as (host, phone):
        host.say("CALL_ESTABLISHED")
        await phone.wait_for("CALL_ESTABLISHED")
        await phone.transfer("601")
        assert host.orders == [("transfer", "sip:601@asterisk")]


async def test_a_cut_connection_is_made_again():
    async with desk() as (host, phone):
        host.writers[-1].close()
        await phone.wait_for("PHONE_STATE")
        await phone.wait_for("PHONE_STATE")
        assert phone.registered
        assert await phone.dial("600")


async def test_a_phone_host_that_is_not_there_is_an_error_that_names_it():
    phone = Phone(1001, "127.0.0.1", 1)
    with pytest.raises(PhoneError, match=r"1001: no phone host at 127\.0\.0\.1:1"):
        await phone.connect(0.1)
    await phone.close()


async def test_what_a_phone_hears_is_what_comes_after_it_began_to_listen():
    async with desk() as (host, phone):
        before, after = b"\1\0" * BLOCK, b"\2\0" * BLOCK
        host.plays = [before, before, after]  # of the block under way most was heard before
        assert await phone.listen(0.5) == [2] * (RATE // 2)


async def test_a_phone_without_a_call_hears_nothing(monkeypatch):
    monkeypatch.setattr(control, "LISTEN_PATIENCE", 0.1)
    async with desk() as (_, phone):
        with pytest.raises(PhoneError, match="1001: hears nothing"):
            await phone.listen(0.1)
