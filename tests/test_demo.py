"""`acd demo` as a visitor starts it: a process, its pages' address, and nothing left behind."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from acd.__main__ import main

ROOT = Path(__file__).parent.parent
OPTIONS = ("--no-browser", "--port", "0", "--past", "10", "--calls-per-minute", "60")


class Demo:
    """A running demo. `said`: what it printed."""

    def __init__(self, process: Process, said: str) -> None:
        self.process, self.said = process, said
        found = re.search(r"API +(http://\S+)/docs +token (\S+)", said)
        assert found, said
        self.address, self._token = found.groups()

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """An answer of the API's."""
        headers = {"Authorization": f"Bearer {self._token}"}
        async with (
            ClientSession(headers=headers) as client,
            client.request(method, f"{self.address}/api/v1/handlers/main/{path}", json=body) as answer,
        ):
            assert answer.ok, await answer.text()
            return json.loads(await answer.text())

    async def end(self) -> tuple[int, str]:
        """Ctrl-C; the exit status, and what it complained of."""
        self.process.send_signal(signal.SIGINT)
        _, complaints = await asyncio.wait_for(self.process.communicate(), 20)
        assert self.process.returncode is not None
        return self.process.returncode, complaints.decode()


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ACD_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "acd", "demo", *OPTIONS),
        cwd=ROOT,
        env=environment | {"TMPDIR": str(tmp_path)},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            said = (await process.stdout.readuntil(b"/docs")).decode()
            said += (await process.stdout.readline()).decode()
        yield Demo(process, said)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_runs_answers_calls_and_leaves_nothing_behind(demo: Demo, tmp_path: Path):
    agents = (await demo.call("GET", "agents"))["items"]
    assert sum(bool(agent["sessions"]) for agent in agents) >= 12
    before = await answered(demo)
    assert before > 0, "there is a past"
    async with asyncio.timeout(30):
        while await answered(demo) == before:
            await asyncio.sleep(0.2)
    assert [path.name.startswith("acd-demo-") for path in tmp_path.iterdir()] == [True]
    assert await demo.end() == (0, "")
    assert list(tmp_path.iterdir()) == []


async def answered(demo: Demo) -> int:
    queues = (await demo.call("GET", "queues"))["items"]
    return sum(queue["total_calls_answered"] for queue in queues)


async def test_a_visitor_logs_on_and_takes_a_call(demo: Demo):
    assert "id 1040, PIN 4711, phone PJSIP/1040" in demo.said
    body = {"acd_group": "support", "address": "PJSIP/1040", "pin": "4711"}
    session = await demo.call("POST", "agents/1040/sessions", body)
    await demo.call("PUT", "agents/1040/state", {"state": "READY"})
    await demo.call("PUT", f"sessions/{session['id']}/state", {"state": "READY"})
    async with asyncio.timeout(30):
        while (await demo.call("GET", "agents/1040"))["state"] != "BUSY_ACD":
            await asyncio.sleep(0.2)


def test_a_port_that_is_taken_is_refused_in_one_sentence(capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["demo", "--no-browser", "--port", str(port)]) == 2
    complaint = capsys.readouterr().err
    assert complaint == (
        f"acd: cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --port\n"
    )


async def test_acd_serve_needs_nothing_of_the_simulation():
    code = "import sys, acd.__main__; print([name for name in sys.modules if name.startswith('acd.simulated')])"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, stdout=PIPE)
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert out.decode().strip() == "[]"
