"""What commands at one Asterisk feel while another one floods: a whole acd over two of them, in this process.

The second one sends as fast as it can: events that nobody wants, bytes that are no events, channels of agents' phones,
or callers who come and hang up, which are written to the database.
"""

import asyncio
import logging
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.asterisk.fake_ami import event
from tests.bench.measure import Report, percentile
from tests.web.house import House, open_house
from tests.web.switch import Switch

SECONDS = 10.0
PAUSE = 0.02  # seconds between two commands
CALLER = ("QueueCallerJoin", "HangupRequest", "QueueCallerAbandon", "QueueCallerLeave", "Hangup")
LEG = ("Newchannel", "Hangup")


def _told(names: tuple[str, ...], number: int, channel: str) -> bytes:
    at, of = f"{time.time():.6f}", {"Channel": f"PJSIP/{channel}-{number}", "Uniqueid": f"f.{number}"}
    more = {"Linkedid": f"f.{number}", "Queue": "support", "Position": 1, "Count": 1, "ChannelState": 0}
    return b"".join(event(name, Timestamp=at, **of, **more) for name in names)


FLOODS: dict[str, Callable[[int], bytes]] = {
    "unwanted events": lambda _: event("RTCPSent", SSRC="0x1234") * 80,
    "bytes that are no events": lambda _: b"\x00\xff blah\r\n\r\n" * 80,
    "channels of an agent's phone": lambda turn: b"".join(_told(LEG, 40 * turn + each, "1001") for each in range(40)),
    "callers who hang up": lambda turn: b"".join(_told(CALLER, 16 * turn + each, "trunk") for each in range(16)),
}


async def _flood(switch: Switch, make: Callable[[int], bytes], over: asyncio.Event) -> None:
    turn = 0
    while not over.is_set():
        turn += 1
        for writer in list(switch._open):
            writer.write(make(turn))
            with suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(writer.drain(), 0.5)
        await asyncio.sleep(0)


async def _commands(house: House, seconds: float) -> tuple[list[float], int]:
    """How long each took, and how many were refused."""
    took, refused, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        state = "NOT_READY" if len(took) % 2 else "READY"
        answer = await house.call("PUT", "agents/1001/state", {"state": state})
        took.append(time.monotonic() - began)
        refused += answer.status >= 400
        await asyncio.sleep(PAUSE)
    return took, refused


async def _measure(report: Report, what: str, make: Callable[[int], bytes] | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Switch("support") as switch, open_house(Path(folder), branch=switch) as house:
            await house.ready()
            over = asyncio.Event()
            flooding = [] if make is None else [asyncio.create_task(_flood(switch, make, over))]
            took, refused = await _commands(house, SECONDS)
            over.set()
            await asyncio.gather(*flooding)
            heard = house.branch.handler.service.link.stats
            rate = (heard.messages + heard.broken) / SECONDS
            times = " / ".join(f"{1000 * percentile(took, share):.0f}" for share in (0.5, 0.95, 1.0))
            report.line(
                what, f"{times} ms (p50, p95, longest), {refused} of {len(took)} refused, {rate:,.0f} messages/s"
            )


def run(report: Report) -> None:
    """Each flood in its own house."""
    report.head("Commands at one Asterisk while another floods")
    logging.disable(logging.CRITICAL)  # each caller is a line
    try:
        asyncio.run(_measure(report, "nothing", None))
        for what, make in FLOODS.items():
            asyncio.run(_measure(report, what, make))
    finally:
        logging.disable(logging.NOTSET)
