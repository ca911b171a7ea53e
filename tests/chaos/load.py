"""The load, inside the rig's container: `python3 -m tests.chaos.load`, with the plan as one line of JSON on stdin.

Writes what happens at the phones and the callers as lines of JSON to stdout. The first says that all phones are
registered; the callers begin with the next line on stdin, and the end of stdin ends everything.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter

from tests.chaos.plan import CallerPlan, Plan, from_json
from tests.chaos.sip import Call, IncomingCall, OutgoingCall, UserAgent

SERVER = "asterisk"
REGISTER_EVERY = 20.0
TRY_AGAIN = 2.0
LONGEST_RING = 20.0  # longer than a queue lets a phone ring: Asterisk is gone
LONGEST_CALL = 70.0
SILENCE = 4.0  # seconds after which one notices that nobody is there any more, and nobody said so
LAST_WORDS = 3.0  # seconds for goodbyes to be answered


def tell(**fields: object) -> None:
    print(json.dumps({"at": time.time(), **fields}), flush=True)


class Load:
    """Callers and phones know one another here, and so a caller's patience ends when a phone is answered."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._by_number = {one.caller: one for one in plan.callers}
        self._callers: dict[str, OutgoingCall] = {}
        self._patience: dict[str, asyncio.TimerHandle] = {}
        self._rang: Counter[str] = Counter()  # how many phones a caller's call has rung
        self._transferred: set[str] = set()
        self._agent = UserAgent(SERVER, self._phone_rings)

    async def run(self, begin: asyncio.Event) -> None:
        """Until it is cancelled; when the last caller is gone the phones stay where they are."""
        await self._agent.open()
        registered = {phone: asyncio.Event() for phone in self._plan.phones}
        async with asyncio.TaskGroup() as group:
            for phone, done in registered.items():
                group.create_task(self._keep_registered(phone, done))
            await asyncio.gather(*(one.wait() for one in registered.values()))
            tell(event="registered")
            await begin.wait()
            await asyncio.gather(*(self._live(one) for one in self._plan.callers))
            await asyncio.sleep(LAST_WORDS)
            tell(event="over")

    async def _keep_registered(self, phone: str, registered: asyncio.Event) -> None:
        while True:
            await self._agent.look_up()
            done = await self._agent.register(phone, self._plan.phones[phone])
            if done:
                registered.set()
            await asyncio.sleep(REGISTER_EVERY if done else TRY_AGAIN)

    # Callers ----------------------------------------------------------------------------------------------

    async def _live(self, plan: CallerPlan) -> None:
        await asyncio.sleep(plan.at)
        over = asyncio.Event()
        call = self._callers[plan.caller] = OutgoingCall(self._agent, plan.number, plan.caller)

        def change(what: str) -> None:
            self._tell("caller", call, what, plan.caller, "")
            if what == "ended":
                over.set()

        call.on_change = change
        loop = asyncio.get_running_loop()
        self._patience[plan.caller] = loop.call_later(plan.patience, call.hang_up)
        loop.call_later(LONGEST_CALL, call.hang_up)
        change("started")
        call.begin()
        await over.wait()
        self._patience[plan.caller].cancel()

    @staticmethod
    def _tell(kind: str, call: Call, what: str, caller: str, phone: str) -> None:
        ending = {"by": call.by, "status": call.status} if what == "ended" else {}
        tell(event=what, kind=kind, leg=call.id, caller=caller, phone=phone, **ending)

    # Phones -----------------------------------------------------------------------------------------------

    def _phone_rings(self, call: IncomingCall) -> None:
        def change(what: str) -> None:
            self._tell("phone", call, what, call.caller, call.phone)
            if what == "answered":
                self._talk(call)

        call.on_change = change
        change("offered")
        loop = asyncio.get_running_loop()
        loop.call_later(LONGEST_RING, self._forget_ring, call)
        plan = self._by_number.get(call.caller)
        if plan is None:
            loop.call_later(0.5, call.reject)
            return
        manner = plan.manner if self._rang[call.caller] == 0 else "answers"
        self._rang[call.caller] += 1
        if manner == "answers":
            loop.call_later(plan.ring, call.answer)
        elif manner == "rejects":
            loop.call_later(plan.ring, call.reject)

    @staticmethod
    def _forget_ring(call: IncomingCall) -> None:
        if call.answered is None:
            call.give_up()

    def _talk(self, call: IncomingCall) -> None:
        plan = self._by_number.get(call.caller)
        if plan is None:
            return
        loop = asyncio.get_running_loop()
        self._patience[plan.caller].cancel()
        if plan.transfer and plan.caller not in self._transferred:
            self._transferred.add(plan.caller)
            loop.call_later(plan.talk / 2, self._transfer, call, plan)
        else:
            caller = self._callers[plan.caller]
            first, last = (call, caller) if plan.agent_ends else (caller, call)
            loop.call_later(plan.talk, first.hang_up)
            loop.call_later(plan.talk + SILENCE, last.hang_up)

    def _transfer(self, call: IncomingCall, plan: CallerPlan) -> None:
        """He waits for the next agent as patiently as for the first."""
        asyncio.get_running_loop().call_later(SILENCE, call.hang_up)
        call.transfer(plan.transfer)
        caller = self._callers[plan.caller]
        self._patience[plan.caller] = asyncio.get_running_loop().call_later(plan.patience, caller.hang_up)


async def _main() -> None:
    reader = asyncio.StreamReader(limit=1 << 24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    load = Load(from_json(json.loads(await reader.readline())))
    begin = asyncio.Event()
    running = asyncio.create_task(load.run(begin))
    if await reader.readline():
        begin.set()
        await reader.read()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    asyncio.run(_main())
