"""The demo's life: five agents work, callers come and go, until somebody stops it. `python3 -m phones.demo`

Everything goes the way it goes in real life: agents log on through the web API and talk on their phones, callers call.
Whatever fails (acd or Asterisk starting again) is tried again; each thing that happens is one line in the log.
"""

import asyncio
import json
import logging
import os
import random
import sys
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from phones.callers import CallerError, start_call
from phones.calls import BadOrder
from phones.control import Phone, PhoneError, PhoneEvent
from phones.host import start_log, until_told

log = logging.getLogger(__name__)

AGENTS = {"1001": "Alice", "1002": "Bob", "1003": "Carol", "1004": "Dave", "1005": "Erin"}
GROUPS = {"1001": ["support"], "1002": ["support"], "1003": ["support", "sales"], "1004": ["sales"], "1005": ["sales"]}
NAMES = ("Miller", "Rossi", "Dubois", "Novak", "Schmidt", "Garcia", "Jensen", "Kowalska", "Okafor", "Tanaka")
REASONS = ("lunch", "coffee")

CALLERS_AT_MOST = 8
NEW_CALLER_EVERY = 6.0
SHIFT_CHECKED_EVERY = 15.0
TRY_AGAIN = 3.0
HTTP_PATIENCE = 15.0


class ApiError(Exception):
    """The web API refused, or is not there."""


# --- the web API ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Api:
    url: str
    token: Callable[[], str]

    async def get(self, path: str) -> dict[str, Any]:
        return await asyncio.to_thread(self._request, "GET", path, None)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(self._request, "POST", path, body)

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(self._request, "PUT", path, body)

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}
        url = f"{self.url}/api/v1/handlers/main{path}"
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 (our own acd)
        try:
            with urllib.request.urlopen(request, timeout=HTTP_PATIENCE) as answer:  # noqa: S310
                return _to_object(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(f"{method} {path}: {error.code} {_code(error.read())}") from None
        except (OSError, ValueError) as error:
            raise ApiError(f"{method} {path}: {error}") from None


def _to_object(answer: bytes) -> dict[str, Any]:
    value = json.loads(answer or b"{}")
    return value if isinstance(value, dict) else {}


def _code(problem: bytes) -> str:
    try:
        return str(json.loads(problem).get("code", ""))
    except (ValueError, AttributeError):
        return problem[:80].decode(errors="replace")


def token_from_environment() -> str:
    """Read for each request: acd writes the file at its first start."""
    if token := os.environ.get("ACD_API_TOKEN"):
        return token
    path = Path(os.environ.get("ACD_API_TOKEN_FILE", "/var/lib/acd/api_token"))
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ApiError(f"no token for the API: {error}") from None


# --- an agent ---------------------------------------------------------------------------------------------------


class Agent:
    """Logs on, answers, talks, takes a break now and then."""

    def __init__(self, api: Api, number: str, name: str, groups: list[str]) -> None:
        self._api, self._number, self._name, self._groups = api, number, name, groups
        self._pin = f"{random.randrange(10_000):04d}"
        self._phone = Phone(number)
        self._at_work = False

    async def work(self) -> None:
        await again_and_again(self._name, self._phone.connect)
        await again_and_again(self._name, self._phone.wait_until_registered)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stay_logged_on())
            group.create_task(self._take_calls())
            group.create_task(self._take_breaks())

    # --- logging on

    async def _stay_logged_on(self) -> None:
        """Looks every now and then whether the sessions are still there: acd or Asterisk may have started again."""
        while True:
            await again_and_again(self._name, self._be_logged_on)
            await asyncio.sleep(SHIFT_CHECKED_EVERY)

    async def _be_logged_on(self) -> None:
        if not self._at_work:
            await self._come_to_work()
        present = {one["acd_group"] for one in await self._sessions()}
        for group in self._groups:
            if group not in present:
                await self._log_on(group)

    async def _come_to_work(self) -> None:
        try:
            await self._api.post("/agents", {"id": self._number, "pin": self._pin, "user": self._name})
        except ApiError as error:
            if "wrong-pin" not in str(error):
                raise
            # Known from an earlier run of the demo, whose PINs nobody remembers; the token is enough.
            self._pin = ""
        await self._be({"state": "READY"})
        self._at_work = True

    async def _log_on(self, group: str) -> None:
        body = {"acd_group": group, "address": f"PJSIP/{self._number}"} | ({"pin": self._pin} if self._pin else {})
        session = await self._api.post(f"/agents/{self._number}/sessions", body)
        await self._api.put(f"/sessions/{session['id']}/state", {"state": "READY"})
        self._say("logs on to %s", group)

    async def _sessions(self) -> list[dict[str, Any]]:
        listed = await self._api.get(f"/agents/{self._number}/sessions")
        return [one for one in listed.get("items", []) if one.get("state") != "SESSION_ENDED"]

    # --- calls

    async def _take_calls(self) -> None:
        while True:
            try:
                ringing = await self._phone.wait_for("CALL_INCOMING", 3600)
                await self._take(ringing)
            except PhoneError as error:
                self._say("%s", error)
                await asyncio.sleep(1)

    async def _take(self, ringing: PhoneEvent) -> None:
        await asyncio.sleep(random.uniform(1, 4))
        if not any(call.id == ringing.call and call.state == "incoming" for call in self._phone.calls):
            self._say("was too slow for %s", ringing.peer)
            return
        await self._phone.answer()
        self._say("answers %s", ringing.peer)
        await self._talk(ringing)
        self._say("has ended the call with %s", ringing.peer)
        if random.random() < 0.4:
            await self._end_wrap_up_early()

    async def _talk(self, ringing: PhoneEvent) -> None:
        patience = random.uniform(8, 40)
        try:
            await self._phone.wait_for("CALL_CLOSED", patience, lambda event: event.call == ringing.call)
        except PhoneError:
            await self._phone.hangup()
            await self._phone.wait_until_idle()

    async def _end_wrap_up_early(self) -> None:
        await asyncio.sleep(random.uniform(1, 4))
        try:
            for session in await self._sessions():
                if session.get("state") == "BUSY_WRAPUP":
                    await self._api.put(f"/sessions/{session['id']}/wrap-up", {"end": True})
                    self._say("ends wrap-up early")
        except ApiError as error:
            self._say("%s", error)

    # --- breaks

    async def _take_breaks(self) -> None:
        while True:
            await asyncio.sleep(random.uniform(60, 240))
            reason = random.choice(REASONS)
            self._say("goes for %s", reason)
            await again_and_again(self._name, partial(self._be, {"state": "NOT_READY", "reason": reason}))
            await asyncio.sleep(random.uniform(15, 60))
            await again_and_again(self._name, partial(self._be, {"state": "READY"}))
            self._say("is back from %s", reason)

    async def _be(self, state: dict[str, str]) -> None:
        await self._api.put(f"/agents/{self._number}/state", state)

    def _say(self, text: str, *values: object) -> None:
        log.info("%s " + text, self._name, *values)


# --- callers ----------------------------------------------------------------------------------------------------


async def callers() -> None:
    """A new one every few seconds, never too many at once."""
    here: set[asyncio.Task[None]] = set()
    while True:
        await asyncio.sleep(random.expovariate(1 / NEW_CALLER_EVERY))
        if len(here) < CALLERS_AT_MOST:
            task = asyncio.create_task(one_caller())
            here.add(task)
            task.add_done_callback(here.discard)


async def one_caller() -> None:
    number = random.choice(("600", "600", "601"))
    caller, name = f"555{random.randrange(10_000):04d}", random.choice(NAMES)
    # The queue answers at once, so this is the time on the line: waiting and talking.
    stay = random.uniform(4, 12) if random.random() < 0.2 else random.uniform(25, 90)
    log.info("%s (%s) calls %s", name, caller, number)
    try:
        call = await start_call(number, stay, caller, name, patience=20)
        result = await call.ended()
        ending = f"refused, {result.status}" if result.ended_by == "refused" else result.ended_by
        log.info("%s (%s) is gone after %.0f s: %s", name, caller, result.seconds or 0, ending)
    except (CallerError, BadOrder) as error:
        log.info("%s (%s): %s", name, caller, error)


# --- all of it --------------------------------------------------------------------------------------------------


async def again_and_again(who: str, attempt: Callable[[], Awaitable[object]]) -> None:
    """Until it works; says so when the trouble is a new one."""
    trouble = ""
    while True:
        try:
            await attempt()
            return
        except (ApiError, PhoneError, KeyError) as error:
            if str(error) != trouble:
                trouble = str(error)
                log.info("%s: %s", who, trouble)
            await asyncio.sleep(TRY_AGAIN)


async def demo() -> None:
    api = Api(os.environ.get("ACD_URL", "http://acd:8080").rstrip("/"), token_from_environment)
    async with asyncio.TaskGroup() as group:
        for number, name in AGENTS.items():
            group.create_task(Agent(api, number, name, GROUPS[number]).work())
        group.create_task(callers())


def main() -> int:
    start_log()
    asyncio.run(until_told(demo()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
