"""The command line: exit codes, one line of error, and a process that ends in good order.

Most of it runs in this process, because a new one takes a second to begin; what only a process shows has its own.
"""

import asyncio
import contextlib
import io
import json
import logging
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession

from acd.__main__ import main
from tests.databases import SqliteDatabase
from tests.helpers import until
from tests.web.house import PHONE, TOKEN, House, open_house
from tests.web.switch import Switch

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line on standard error, after `acd: `."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("acd: ")
        return lines[0].removeprefix("acd: ")


Run = Callable[..., Ran]


@pytest.fixture
def acd(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """Runs the command line here, with no ACD_ variable but those that are given; logs are as before afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    for name in [name for name in os.environ if name.startswith("ACD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, given: str = "", **variables: str) -> Ran:
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.StringIO(given))
            try:
                code = main(arguments)
            except SystemExit as exit:
                code = int(exit.code or 0)
        return Ran(code, *capsys.readouterr())

    yield run
    root.handlers[:], root.level = before
    for name in ("panoramisk", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.NOTSET)


# Usage


@pytest.mark.parametrize(
    "wrong", ["", "sreve", "serve --cnofig x", "serve more", "agent", "agent dance", "agent show", "agent log-on 1"]
)
def test_what_is_no_command_is_told_with_the_usage_and_exit_code_2(acd: Run, wrong):
    ran = acd(*wrong.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("usage: acd")


def test_help_names_every_command(acd: Run):
    top, agent = acd("--help"), acd("agent", "--help")
    assert (top.code, agent.code) == (0, 0)
    assert all(word in top.out for word in ("serve", "check", "audit", "agent"))
    assert all(word in agent.out for word in ("list", "show", "add", "log-on", "log-off", "ready", "not-ready"))


# Settings that cannot be used

MAIN = "[handlers.main]\nsecret = 'x'\n"
AGENTS = "agents = [{id = '1', user = 'a', pin = '1'}, {id = '2', user = 'a', pin = '1'}]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[web", "is not valid TOML"),
        ("[web]\nprot = 1", "web.prot: there is no such setting"),
        ("[handlers.main]\nport = 'x'", "handlers.main.port"),
        ("", "handlers.main.secret: is not set"),
        ("[handlers.main]\nsecret_file = '/no/such/file'", "handlers.main.secret: /no/such/file cannot be read"),
        ('[handlers.main]\nsecret = "x\\ny"', "handlers.main: Secret of Login"),
        (MAIN + AGENTS, "handlers.main.agents: "),
        (MAIN + "[store]\nurl = 'sqlite:////no/such/folder/acd.db'", "store.url"),
        (MAIN + "[web]\ntoken_file = '/no/such/folder/token'", "web.token"),
    ],
)
def test_serve_with_settings_that_cannot_be_used_says_so_in_one_line_and_exits_2(acd: Run, tmp_path, text, said):
    file = tmp_path / "acd.toml"
    file.write_text(text)
    ran = acd("serve", "--config", str(file), ACD_LOG_LEVEL="error")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.complaint
    assert acd("serve", ACD_CONFIG=str(file), ACD_LOG_LEVEL="error") == ran


def test_a_file_that_is_not_there_is_told_in_one_line(acd: Run, tmp_path):
    for command in ("serve", "check", "audit"):
        ran = acd(command, "--config", str(tmp_path / "none.toml"))
        assert (ran.code, ran.complaint) == (2, f"{tmp_path}/none.toml: cannot be read: No such file or directory")


@pytest.mark.parametrize("url", ["nosuch://x", "not a url", "postgresql://user:db-password@127.0.0.1:1/acd"])
def test_a_database_that_cannot_be_had_is_told_in_one_line(acd: Run, url):
    ran = acd("serve", ACD_DATABASE_URL=url, ACD_AMI_SECRET="x")
    assert ran.code == 2
    assert "store.url" in ran.complaint or "ACD_DATABASE_URL" in ran.complaint
    assert "db-password" not in ran.err


def test_a_database_of_a_newer_acd_is_told_in_one_line(acd: Run, tmp_path):
    database = SqliteDatabase(tmp_path / "acd.db")
    with database.opened():
        pass
    database.run("UPDATE alembic_version SET version_num = '9876'")
    ran = acd("serve", ACD_DATABASE_URL=database.url, ACD_AMI_SECRET="x")
    assert ran.code == 2
    assert ran.complaint.startswith("store.url: the database cannot be opened: it has the tables of a newer acd")


def test_a_variable_that_is_none_is_told_in_one_line(acd: Run):
    ran = acd("serve", ACD_AMI_HSOT="x")
    assert ran.code == 2
    assert ran.complaint == "environment: there is no setting ACD_AMI_HSOT (did you mean ACD_AMI_HOST?)"


def test_a_port_in_use_is_told_in_one_line(acd: Run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        where = {"ACD_AMI_PORT": "1", "ACD_WEB_PORT": str(port)}
        ran = acd("serve", ACD_AMI_SECRET="x", ACD_LOG_LEVEL="error", ACD_API_TOKEN="t", **where)
    assert ran.code == 2
    assert f"web: cannot listen on 127.0.0.1:{port}" in ran.complaint
    assert "in use" in ran.complaint


# A process


@asynccontextmanager
async def serving(switch: Switch, folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, list[str]]]:
    """`python -m acd serve` on this Asterisk: the process, its address, and its log lines as they come."""
    variables = {"ACD_AMI_PORT": str(switch.port), "ACD_AMI_SECRET": switch.secret, "ACD_WEB_PORT": "0"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACD_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "acd", "serve"),
        stderr=asyncio.subprocess.PIPE,
        env=kept | variables | {"PYTHONPATH": str(ROOT), "ACD_LOG_FORMAT": "json"},
        cwd=folder,
    )
    lines: list[str] = []

    async def read() -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            lines.append(line.decode())

    reading = asyncio.create_task(read())
    try:
        await until(lambda: _address(lines) and "Linked to Asterisk" in "".join(lines), 20, what="serving")
        yield process, _address(lines), lines
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading


def _address(lines: list[str]) -> str:
    found = re.search(r"serving the API on (http://[\d.:]+)", "".join(lines))
    return found.group(1) if found else ""


async def test_a_signal_ends_a_serving_process_in_good_order_and_the_next_takes_up_there(tmp_path):
    tokens = []
    async with Switch("support") as switch:
        for number, made in ((signal.SIGTERM, 201), (signal.SIGINT, 200)):
            async with serving(switch, tmp_path) as (process, address, lines):
                token = (tmp_path / "api_token").read_text().strip()
                assert (tmp_path / "api_token").stat().st_mode & 0o777 == 0o600
                tokens.append(token)
                async with ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
                    url = f"{address}/api/v1/handlers/main/agents"
                    async with session.post(url, json={"user": "1001"}) as answer:
                        assert answer.status == made
                    began = time.monotonic()  # a connection that is kept alive must not hold it up
                    process.send_signal(number)
                    assert await asyncio.wait_for(process.wait(), 5) == 0
                assert time.monotonic() - began < 5
                await until(lambda: not switch.open_connections)
            text = "".join(lines)
            assert "ending" in text
            assert "Traceback" not in text
            assert not [secret for secret in (token, switch.secret) if secret in text]
            assert {json.loads(line)["level"] for line in lines} <= {"info", "warning"}
    assert tokens[0] == tokens[1]


# acd agent


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
def agent(acd: Run, house: House) -> Callable[..., object]:
    """Runs `acd agent ...` against the house, in a thread, because the house lives in this one."""

    async def run(*arguments: str, url: str = "", **given: str) -> Ran:
        where = url or str(house.client.make_url(""))
        return await asyncio.to_thread(acd, "agent", "--url", where, *arguments, **({"ACD_API_TOKEN": TOKEN} | given))

    return run


async def test_an_agent_is_made_logged_on_made_ready_and_logged_off_from_a_shell(house: House, agent):
    made = await agent("add", "1001", "alice", given="4711\n")
    assert (made.code, json.loads(made.out)["user"]) == (0, "alice"), made.err
    session = await agent("log-on", "1001", "support", PHONE)
    assert (session.code, json.loads(session.out)["state"]) == (0, "NOT_READY"), session.err
    ready = await agent("ready", "1001")
    assert json.loads(ready.out)["state"] == "READY"
    assert not house.switch.queues["support"][PHONE].paused
    lunch = await agent("not-ready", "1001", "Mittag ☕")
    assert (json.loads(lunch.out)["reason"], "☕" in lunch.out) == ("Mittag ☕", True)
    assert json.loads((await agent("show", "1001")).out)["state"] == "NOT_READY"
    assert [each["id"] for each in json.loads((await agent("list")).out)] == ["1001"]
    ended = await agent("log-off", "1001")
    assert [each["state"] for each in json.loads(ended.out)] == ["SESSION_ENDED"]
    assert house.switch.queues["support"] == {}


@pytest.mark.parametrize(
    ("command", "variables", "said"),
    [
        ("show nobody", {}, "There is no agent 'nobody'."),
        ("show ../../../healthz", {}, "There is no agent '../../../healthz'."),
        ("--handler other list", {}, "There is nothing at /api/v1/handlers/other/agents."),
        ("list", {"ACD_API_TOKEN": "wrong"}, "A valid bearer token or session is needed."),
        ("not-ready nobody a,b", {}, "body.reason: must not contain ,"),
        ("add 1001", {"ACD_PIN": "x" * 200}, "body.pin: "),
        ("log-on nobody support PJSIP/1", {}, "There is no agent 'nobody'."),
        ("log-on nobody support 1001", {}, "body.address: must be a device such as PJSIP/1001"),
    ],
)
async def test_what_the_api_refuses_is_one_line_and_exit_code_1(agent, command, variables, said):
    ran = await agent(*command.split(), **variables)
    assert (ran.code, ran.out) == (1, "")
    assert ran.complaint.startswith(said)
    assert "x" * 200 not in ran.err


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9", "http://127.0.0.1:port", "127.0.0.1:8080", "ftp://x", "http://", "http://no such host"],
)
def test_an_api_that_cannot_be_reached_is_one_line_and_exit_code_1(acd: Run, url):
    ran = acd("agent", "--url", url, "list", ACD_API_TOKEN="x")
    assert (ran.code, ran.out) == (1, "")
    assert url in ran.complaint


@pytest.mark.parametrize(
    "greeting",
    [b"HTTP/1.0 200 OK\r\n\r\n<html>hello</html>", b"220 smtp\r\n", b"HTTP/1.0 200 OK\r\n\r\n[1]", b""],
    ids=["a page", "another protocol", "other JSON", "nothing"],
)
async def test_something_else_at_the_address_is_one_line_and_exit_code_1(agent, greeting):
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(greeting)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ran = await agent("list", url=url)
    assert (ran.code, ran.out) == (1, "")
    assert url in ran.complaint


async def test_the_token_can_come_from_its_file(agent, tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    good = await agent("list", ACD_API_TOKEN="", ACD_API_TOKEN_FILE=str(tmp_path / "token"))
    assert (good.code, json.loads(good.out)) == (0, [])


async def test_a_token_that_is_missing_or_cannot_be_read_or_sent_is_told_as_such(agent, tmp_path):
    file = tmp_path / "none"
    for variables in ({"ACD_API_TOKEN_FILE": str(file), "ACD_API_TOKEN": ""}, {"ACD_API_TOKEN": ""}):
        ran = await agent("list", **variables)
        assert ran.code in (1, 2)
        assert "cannot be reached" not in ran.complaint
        assert "ACD_API_TOKEN_FILE" not in variables or str(file) in ran.complaint
    odd = await agent("list", ACD_API_TOKEN="tökén ☕")
    assert odd.code in (1, 2)
    assert odd.complaint
