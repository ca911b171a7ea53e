"""Agents and callers that are Local channels: calls by the dozen, without phones. See site/extensions-suite.conf."""

import contextlib
import itertools
from collections import Counter
from dataclasses import dataclass, field

from acd.asterisk.link import Refused
from acd.asterisk.message import Message
from tests.e2e.compare import WAITED_IN, compare_queue, near
from tests.e2e.desk import PIN, Desk, Json, Seat, eventually, moment
from tests.e2e.operator import Operator

EXACT = 0.001  # both have Asterisk's own time
NUMBERS = itertools.count(1)  # for Uniqueids that no other test has


def at(event: Message) -> float:
    """When it happened, on Asterisk's clock."""
    return float(event.get("Timestamp") or 0)


@dataclass(frozen=True, slots=True)
class LocalCaller:
    """`call` is the Uniqueid of the channel in the queue; `phone` the name of the one behind it."""

    operator: Operator
    number: str
    call: str

    async def hangs_up(self) -> None:
        channel = (await self.operator.hears("Newchannel", Uniqueid=self.call)).get("Channel") or ""
        await self.operator.send("Hangup", Channel=channel.removesuffix("2") + "1")

    async def gone(self, seconds: float = 5) -> Message:
        return await self.operator.hears("Hangup", seconds, Uniqueid=self.call)

    async def reaches(self, event: str, seconds: float = 5, **headers: object) -> Message:
        return await self.operator.hears(event, seconds, Uniqueid=self.call, **headers)

    def lived_through(self, *names: str) -> list[str]:
        """Which of these events this call had, in order."""
        return [one.event for one in self.operator.events if one.event in names and one.get("Uniqueid") == self.call]


@dataclass
class LocalCalls:
    """A desk, and somebody with every right at the AMI."""

    desk: Desk
    operator: Operator
    seats: list[Seat] = field(default_factory=list)
    hands: list[tuple[str, str]] = field(default_factory=list)  # members that no agent is: queue, interface

    # Agents

    async def log_on(self, address: str, *queues: str, ready: bool = True) -> Seat:
        """An agent at Local/<address>/n, such as 1@answers, for these queues, each of which is a group."""
        seat = Seat(self.desk.api, f"20{len(self.seats)}", f"Seat {len(self.seats)}", f"Local/{address}/n")
        await self.desk.api.post("/agents", {"id": seat.id, "pin": PIN, "user": seat.user})
        self.seats.append(seat)
        for queue in queues:
            await seat.log_on(queue)
        if ready:
            await seat.set_agent("READY")
            for queue in queues:
                await seat.set("READY", group=queue)
        return seat

    async def add_hand(self, address: str, *queues: str, **headers: object) -> str:
        """A member whom nobody logged on."""
        interface = f"Local/{address}/n"
        for queue in queues:
            await self.operator.send("QueueAdd", Queue=queue, Interface=interface, **headers)
            self.hands.append((queue, interface))
        return interface

    async def remove_hands(self) -> None:
        for queue, interface in self.hands:
            await self.operator.send("QueueRemove", Queue=queue, Interface=interface)
        self.hands.clear()

    async def end_wrap_up(self, seat: Seat, queue: str) -> None:
        session = await seat.until_session("BUSY_WRAPUP", group=queue)
        await self.desk.api.put(f"/sessions/{session['id']}/wrap-up", {"end": True})

    async def wrap_up_time(self, seconds: float, *queues: str) -> None:
        for queue in queues:
            await self.desk.api.put(f"/queues/{queue}/wrap-up-time", {"seconds": seconds})

    # Callers

    async def call(self, queue: str, stay: float = 60, **variables: object) -> LocalCaller:
        """A caller enters the queue and hangs up when he has been there so long, talking or not."""
        number = next(NUMBERS)
        caller = LocalCaller(self.operator, f"5550{number:04}", f"suite-{number}-queue")
        variables = {"QUEUE": queue, "STAYS": 0} | variables
        await self.operator.send(
            "Originate",
            Channel="Local/queue@suite-callers/n",
            Application="Wait",
            Data=stay,
            CallerID=caller.number,
            ChannelId=f"suite-{number}-phone",
            OtherChannelId=caller.call,
            Variable=",".join(f"{name}={value}" for name, value in variables.items()),
            Async="true",
        )
        return caller

    async def waits(self, queue: str, stay: float = 60, **variables: object) -> LocalCaller:
        """The same, once he is in the queue."""
        caller = await self.call(queue, stay, **variables)
        await caller.reaches("QueueCallerJoin")
        return caller

    # Accounts

    async def row_of(self, caller: LocalCaller) -> Json:
        (row,) = [row for row in await self.desk.rows() if row["call"] == caller.call]
        return row

    async def until_over(self, caller: LocalCaller, seconds: float = 5) -> Json:
        """The caller's row, when his visit has an outcome and he is gone."""
        await caller.gone(seconds)

        async def look() -> Json | None:
            row = await self.row_of(caller)
            return row if row["ended"] else None

        row = await eventually(look, 5, f"an outcome for {caller.number}")
        assert row is not None
        return row

    async def accounts_agree(self) -> list[Json]:
        """acd's ledger against Asterisk's events and queue_log, every sum against the ledger; returns the ledger."""
        await eventually(self._nothing_goes_on, 10, "everything is over")
        rows, lines = await self.desk.rows(), await self.desk.queue_log()
        joins = self.operator.heard("QueueCallerJoin")
        assert [(row["call"], row["queue"]) for row in rows] == [(m.get("Uniqueid"), m.get("Queue")) for m in joins]
        for row, join in zip(rows, joins, strict=True):
            assert moment(row["entered"]) == near(at(join), EXACT)
            (left,) = self.operator.heard("QueueCallerLeave", Uniqueid=row["call"], Queue=row["queue"])
            if row["outcome"] == "answered":
                self._compare_answered(row)
            else:
                assert moment(row["ended"]) == near(at(left), EXACT)
                (exit_,) = [line for line in lines if line.call == row["call"] and line.event in WAITED_IN]
                assert row["outcome"] in WAITED_IN[exit_.event] and row["agent"] is None
        for name in {row["queue"] for row in rows}:
            compare_queue(await self.desk.queue(name), [row for row in rows if row["queue"] == name])
        for seat in self.seats:
            await _compare_seat(seat, [row for row in rows if row["agent"] == seat.id])
        return rows

    async def _nothing_goes_on(self) -> bool:
        rows = await self.desk.rows()
        over = all(row["ended"] and (row["outcome"] != "answered" or row["wrap_up_time"] is not None) for row in rows)
        return over and not await self.operator.channels()

    def _compare_answered(self, row: Json) -> None:
        (connect,) = self.operator.heard("AgentConnect", Uniqueid=row["call"], Queue=row["queue"])
        assert moment(row["answered"]) == near(at(connect), EXACT)
        assert row["agent"] in [None, *(seat.id for seat in self.seats if seat.address == connect.get("Interface"))]
        leg = connect.get("DestUniqueid")
        ended = [*self.operator.heard("HangupRequest", Uniqueid=leg), *self.operator.heard("Hangup", Uniqueid=leg)][0]
        assert moment(row["ended"]) == near(at(ended), EXACT), "talk ends when the agent's side hangs up"
        assert row["talk_time_exact"] == near(at(ended) - at(connect), EXACT)

    # Asterisk

    async def restart_asterisk(self) -> None:
        """Returns when it has fully booted."""
        await self.desk.containers.cli("core restart now")
        await self.operator.outlives_a_restart()

    async def phones_are_back(self) -> None:
        """The softphones, for the tests that follow."""
        phones = {f"PJSIP/{number}" for number in self.desk.phones}

        async def look() -> bool:
            addresses = (await self.desk.api.get("/addresses"))["items"]
            return phones <= {one["address"] for one in addresses if one["state"] == "INSERVICE"}

        await eventually(look, 20, "the phones are in service")

    async def clear(self) -> None:
        """No channel is left, and no member whom nobody logged on."""
        for channel in await self.operator.channels():
            with contextlib.suppress(Refused):  # the other half may have taken it along
                await self.operator.send("Hangup", Channel=channel.get("Channel"))
        await self.remove_hands()


async def _compare_seat(seat: Seat, rows: list[Json]) -> None:
    calls = Counter(row["session"] for row in rows)
    for group in seat.sessions:
        session = await seat.session(group)
        mine = [row for row in rows if row["session"] == session["id"]]
        assert session["number_of_calls"] == calls[session["id"]]
        assert session["total_talk_time_exact"] == near(sum(row["talk_time_exact"] for row in mine), EXACT)
        assert session["total_wrap_up_time_exact"] == near(sum(row["wrap_up_time_exact"] for row in mine), EXACT)
    agent = await seat.agent()
    assert agent["number_of_acd_calls"] == len(rows)
    assert agent["total_acd_talk_time_exact"] == near(sum(row["talk_time_exact"] for row in rows), EXACT)
    assert agent["total_wrap_up_time_exact"] == near(sum(row["wrap_up_time_exact"] for row in rows), EXACT)
    assert (agent["number_of_incoming_calls"], agent["number_of_outgoing_calls"]) == (0, 0)
