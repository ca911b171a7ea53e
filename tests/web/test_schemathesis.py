"""The API is what its description says: requests are made from it, right ones and wrong ones, and answers compared.

The same requests at each run; `make fuzz` makes many more, and other ones each time.
"""

import asyncio
import base64
import itertools
import json
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.openapi.checks import RejectedPositiveData

from acd.web.app import DESCRIPTION
from acd.web.repeats import HEADER, LONGEST
from tests.web.house import PIN, TOKEN, House, open_house
from tests.web.switch import Call

pytestmark = [pytest.mark.hypothesis, pytest.mark.timeout(300)]  # hundreds of requests, also on a busy machine

FUZZ = settings.get_current_profile_name() == "fuzz"
SEED = random.randrange(10**9) if FUZZ else 1
EXAMPLES = 200 if FUZZ else 4  # of each operation
STEPS = 30 if FUZZ else 6  # of a sequence

NOBODY = "http://127.0.0.1:9"  # where nobody listens; no webhook of these tests goes further
PRINTABLE = st.characters(exclude_categories=["C", "Z"], exclude_characters=",|;/")
NAMES = st.text(PRINTABLE, min_size=1, max_size=19).filter(lambda name: name not in (".", ".."))  # 4 bytes each
LINES = st.text(PRINTABLE | st.sampled_from(" \n"), max_size=100).map("a {}".format)
PLACES = st.tuples(st.floats(0, 1e10).map(str), NAMES)
FORMATS = {
    "acd-name": NAMES | st.sampled_from(["main", "1001", "1002", "support", "both"]),
    "acd-reason": st.just("") | NAMES,
    "acd-address": NAMES.map("PJSIP/{}".format) | st.sampled_from(["PJSIP/1001", "PJSIP/1003"]),
    "acd-note": LINES,
    "acd-receiver": NAMES.map(quote).map(f"{NOBODY}/{{}}".format),
    "acd-time-zone": st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]),
    "acd-cursor": PLACES.map(lambda place: base64.urlsafe_b64encode(json.dumps(place).encode()).decode()),
}
for name, values in FORMATS.items():
    schemathesis.openapi.format(name, values)

# Not one answer to one request; test_stream.py and test_browser_phone.py have their tests.
ENDLESS = ("/api/v1/events", "/api/v1/ws", "/api/v1/handlers/{handler}/agents/{agent}/browser-phone/sip")


numbers = itertools.count()


@schemathesis.hook
def before_call(_context: Any, case: Any, _arguments: Any) -> None:
    """A key that fits belongs to one request alone: the next one with it would be no request of its own."""
    headers = case.headers
    if headers is not None and 0 < len(headers.get(HEADER, "")) <= LONGEST:
        headers[HEADER] = f"{next(numbers)}"


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """What no schema can know is no failure: a new account needs a password, and which one is new is in the store."""
    return not (isinstance(failure, RejectedPositiveData) and b"is needed for a new account" in response.content)


def _phases(phases: list[str]) -> dict[str, Any]:
    return {phase: {"enabled": phase in phases} for phase in ("examples", "coverage", "fuzzing", "stateful")}


# Reports have one query and one handler between them: at all their edges the quick run tries one of them.
ONE_OF_MANY = [{"include-path-regex": r"/reports/(?!queues$)", "phases": {"coverage": {"enabled": False}}}]

# The house ------------------------------------------------------------------------------------------------


@dataclass
class Served:
    """A call center at work, in a thread of its own."""

    port: int
    ids: dict[str, str]


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """An agent in after-call work who is logged on for two groups, a caller who waits, a token, an account."""
    ready: Future[Served] = Future()
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, ready, over)))
    thread.start()
    try:
        yield ready.result(30)
    finally:
        over.set()
        thread.join()


SETTINGS: dict[str, Any] = {
    "agents": [{"id": "1001", "user": "alice", "pin": PIN}],
    "groups": {
        "support": {"queues": ["support"]},
        "both": {"queues": ["support", "sales"]},
        "sales": {"queues": ["sales"]},  # for which nobody is logged on
        "spare": {"queues": ["sales"]},  # to be deleted
    },
    "dispositions": {"sold": "Contract signed"},
    "wrap_up": 3600,
}


async def _serve(folder: Path, ready: Future[Served], over: threading.Event) -> None:
    try:
        async with open_house(folder, **SETTINGS) as house:
            ready.set_result(Served(house.client.server.port, await _furnish(house)))
            await asyncio.to_thread(over.wait)
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise


async def _furnish(house: House) -> dict[str, str]:
    in_wrap_up, _ = await house.in_wrap_up()
    await house.agent("1002", "bob")
    account = {"role": "supervisor", "password": "correct horse battery"}
    assert (await house.call("PUT", "/api/v1/accounts/carol", account)).status == 201
    token = await house.call("POST", "/api/v1/tokens", {"name": "wallboard", "role": "integration"})
    house.switch.join(Call("1763716500.42", "support"))
    return {"session": await house.log_on(group="both"), "token": token.body["id"], "in_wrap_up": in_wrap_up}


# What is sent, and what must not come back ----------------------------------------------------------------


def described(ids: dict[str, str]) -> dict[str, Any]:
    """The description, with examples that are there, and with every field that it does not name forbidden."""
    document = json.loads(DESCRIPTION.text.replace("https://example.com", NOBODY))
    for path in ENDLESS:
        del document["paths"][path]
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    there = _there(operation["operationId"], parameter["name"], ids)
                    parameter["example"] = there or parameter["example"]
    body = document["paths"]["/api/v1/handlers/{handler}/agents/{agent}/sessions"]["post"]["requestBody"]["content"]
    body["application/json"]["examples"]["example-1"]["value"]["acd_group"] = "sales"
    return document


def _there(operation: str, name: str, ids: dict[str, str]) -> str | None:
    """What an operation can be carried out on."""
    match operation, name:
        case "put_wrap_up" | "put_disposition", "session":
            return ids["in_wrap_up"]
        case "delete_group", "group":
            return "spare"
        case "put_pin", "agent":  # that of 1001 stands in the settings
            return "1002"
    return ids.get(name)


CHECKS: dict[str, Any] = {
    # 502 to 504 are Asterisk's: each operation lists those that it can have, and status_code_conformance sees to it.
    "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "502", "503", "504"]},
    # 412: what If-Match has to be is known to who has read it, and not to a schema.
    "positive_data_acceptance": {
        "expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "412", "429", "502", "503", "504"]
    },
}


@dataclass
class Findings:
    """What came of the requests of one run."""

    failures: list[str] = field(default_factory=list)
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, event: Any) -> None:
        """Takes down what an event of the engine tells."""
        match event:
            case events.NonFatalError():
                self.failures.append(f"{event.label}: {event.value!r}")
            case events.FatalError():
                raise event.exception
            case events.ScenarioFinished():
                self._take(event.recorder)

    def _take(self, recorder: Any) -> None:
        for key, interaction in recorder.interactions.items():
            if key in recorder.cases and interaction.response is not None:
                self.statuses[recorder.cases[key].value.operation.label][interaction.response.status_code] += 1
        for key, checks in recorder.checks.items():
            for check in checks:
                if check.status is not Status.SUCCESS:
                    answer = recorder.interactions[key].response if key in recorder.interactions else None
                    self.failures.append(_told(check, answer))


def _told(check: Any, answer: Any) -> str:
    failure = check.failure_info
    content = b"" if answer is None else answer.content[:500]
    return (
        f"{check.name}: {failure.failure.title}\n{failure.failure.message}\n{failure.code_sample[:1500]}\n{content!r}"
    )


def findings(phases: list[str], folder: Path) -> Findings:
    """Everything that the engine finds in these phases, in a house of their own."""
    found = Findings()
    with served(folder) as house:
        config = SchemathesisConfig.from_dict(
            {
                "seed": SEED,
                "continue-on-failure": True,
                "base-url": f"http://127.0.0.1:{house.port}",
                "request-timeout": 10,
                "generation": {"max-examples": EXAMPLES, "deterministic": not FUZZ, "database": "none"},
                "auth": {"openapi": {"bearer": {"bearer": TOKEN}}},
                "checks": CHECKS,
                "phases": _phases(phases),
                "operations": [] if FUZZ else ONE_OF_MANY,
            }
        )
        config.projects.default.phases.stateful.max_steps = STEPS
        schema = schemathesis.openapi.from_dict(described(house.ids), config=config)
        for event in from_schema(schema).execute():
            found.add(event)
    return found


def nothing_is_wrong(found: Findings) -> None:
    assert found.statuses
    assert not found.failures, f"seed {SEED}, {len(found.failures)} failures\n\n" + "\n\n".join(found.failures[:20])


# The fake Asterisk does not know these orders; tests/e2e has them on the real one. What is refused is tried here, too.
ON_ASTERISK = {"barge", "listen", "whisper", "{monitor}", "hangup", "priority", "transfer", "withdraw", "{agent}"}
HIS_ALONE = {"browser-phone"}  # an administrator is refused
IN_WRAP_UP = {"wrap-up", "disposition"}  # which another request may have ended before; test_commands.py has them


# The tests ------------------------------------------------------------------------------------------------


def test_the_examples_and_the_edges_of_what_is_described_are_taken_and_what_lies_beyond_is_refused(tmp_path: Path):
    found = findings(["examples", "coverage"], tmp_path)
    nothing_is_wrong(found)
    never = {label.rpartition("/")[2] for label, statuses in found.statuses.items() if min(statuses) >= 300}
    assert never <= ON_ASTERISK | HIS_ALONE | IN_WRAP_UP, "of these operations no request was ever carried out"


def test_requests_made_up_from_the_description_are_answered_as_it_says(tmp_path: Path):
    nothing_is_wrong(findings(["fuzzing"], tmp_path))


def test_what_one_request_made_is_there_for_the_next_until_it_is_deleted(tmp_path: Path):
    nothing_is_wrong(findings(["stateful"], tmp_path))
