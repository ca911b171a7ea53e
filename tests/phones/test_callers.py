"""The driver of callers against a callers' container of a few lines, over a real socket."""

import asyncio
import contextlib
import json

import pytest

from phones.callers import CallerError, call, start_call


@contextlib.asynccontextmanager
async def container(*before, after_hangup=()):
    """Says `before` at once; when told to hang up (or left alone with nothing to wait for), says `after_hangup`."""
    orders = []

    async def serve(reader, writer):
        orders.append(json.loads(await reader.readline()))
        tell(writer, before)
        if after_hangup:
            orders.append(json.loads(await reader.readline()))
            tell(writer, after_hangup)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], orders
    finally:
        server.close()


def tell(writer, events):
    for at, name, status in events:
        writer.write(json.dumps({"at": at, "event": name, "status": status}).encode() + b"\n")


STARTED, ANSWERED = (1.0, "started", None), (2.0, "answered", 200)
LEFT, ENDED = (5.0, "hung-up", None), (5.1, "ended", None)


async def test_a_call_gives_its_times():
    async with container(STARTED, ANSWERED, LEFT, ENDED) as (port, orders):
        result = await call("600", stay=3, caller="555", host="127.0.0.1", port=port)
    assert (result.started, result.answered, result.ended, result.ended_by) == (1.0, 2.0, 5.0, "caller")
    asked = {"number": "600", "caller": "555", "name": "Caller", "stay": 3, "patience": None}
    assert orders == [{"call": asked}]


async def test_a_caller_hangs_up_when_told():
    async with container(STARTED, ANSWERED, after_hangup=(LEFT, ENDED)) as (port, orders):
        caller = await start_call("600", host="127.0.0.1", port=port)
        assert (await caller.wait_for("answered")).status == 200
        result = await caller.hangup()
    assert result.ended_by == "caller"
    assert orders[1] == {"hangup": True}


async def test_who_waits_for_an_answer_that_never_comes_is_told_so():
    async with container(STARTED, (2.0, "refused", 486), (2.1, "ended", None)) as (port, _):
        caller = await start_call("600", host="127.0.0.1", port=port)
        with pytest.raises(CallerError, match="never answered; so far: started, refused"):
            await caller.wait_for("answered")
        assert (await caller.ended()).status == 486


async def test_a_container_that_goes_away_is_an_error():
    async with container(STARTED) as (port, _):
        caller = await start_call("600", host="127.0.0.1", port=port)
        with pytest.raises(CallerError, match="went away"):
            await caller.ended(2)


async def test_no_container_is_an_error_that_names_it():
    with pytest.raises(CallerError, match="no callers' container at 127"):
        await start_call("600", host="127.0.0.1", port=1)
