"""The command line: exit codes, one line of error, and a process that ends in good order.

Most of it runs in this process, because a new one takes a second to begin; what only a process shows has its own.
"""

import asyncio
import contextlib
import functools
import io
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
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
from tests.web.test_tls import Files, serial

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
def acd(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, logs_as_before: None
) -> Run:
    """Runs the command line here, with no ACD_ variable but those that are given."""
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

    return run


# Usage


@pytest.mark.parametrize(
    "wrong", ["", "sreve", "serve --cnofig x", "serve more", "agent", "agent dance", "agent show", "agent log-on 1"]
)
def test_what_is_no_command_is_told_with_the_usage_and_exit_code_2(acd: Run, wrong):
    ran = acd(*wrong.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("usage: acd")


def test_help_names_every_command(acd: Run):
    top, agent, token, account = [acd(*words, "--help") for words in ((), ("agent",), ("token",), ("account",))]
    assert [each.code for each in (top, agent, token, account)] == [0] * 4
    assert all(word in top.out for word in ("serve", "check", "audit", "agent", "token", "account"))
    assert all(word in token.out for word in ("create", "list", "revoke"))
    assert all(word in account.out for word in ("set", "list", "remove"))
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
        (MAIN + "[web]\ntoken = 'x'\ntls_key = '/key'", "web.tls_certificate: is not set, and web.tls_key is"),
        (MAIN + "[web]\ntoken = 'x'\ntls_key = '/key'\ntls_certificate = '/none'", "/none cannot be read"),
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
async def serving(
    switch: Switch, folder: Path, **more: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, list[str]]]:
    """`python -m acd serve` on this Asterisk: the process, its address, and its log lines as they come."""
    variables = {"ACD_AMI_PORT": str(switch.port), "ACD_AMI_SECRET": switch.secret, "ACD_WEB_PORT": "0"} | more
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
    found = re.search(r"serving the API on (https?://[\d.:]+)", "".join(lines))
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

    async def run(*arguments: str, url: str = "", of: str = "agent", **given: str) -> Ran:
        where = url or str(house.client.make_url(""))
        return await asyncio.to_thread(acd, of, "--url", where, *arguments, **({"ACD_API_TOKEN": TOKEN} | given))

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
        ("pin nobody", {"ACD_PIN": "4711"}, "There is no agent 'nobody'."),
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


async def test_an_agent_is_given_another_pin_from_a_shell(house: House, agent):
    await house.agent()
    changed = await agent("pin", "1001", given="0815\n")
    assert (changed.code, json.loads(changed.out)["id"]) == (0, "1001"), changed.err
    body = {"id": "1001", "pin": "0815", "user": "alice"}
    assert (await house.call("POST", "agents", body)).status == 200


# acd token, acd account


@pytest.fixture
def token(agent: Callable[..., object]) -> Callable[..., object]:
    return functools.partial(agent, of="token")


@pytest.fixture
def account(agent: Callable[..., object]) -> Callable[..., object]:
    return functools.partial(agent, of="account")


async def test_a_token_is_made_listed_and_revoked_from_a_shell(house: House, token):
    made = await token(
        "create", "--name", "wall board", "--role", "supervisor", "--groups", "support,both", "--days", "2"
    )
    shown = json.loads(made.out)
    assert (made.code, shown["role"], shown["groups"]) == (0, "supervisor", ["both", "support"]), made.err
    assert (await house.call("GET", "queues", token=shown["token"])).status == 200
    listed = await token("list")
    assert [each["name"] for each in json.loads(listed.out)] == ["wall board"]
    assert shown["token"].split("_", 2)[-1] not in listed.out
    revoked = await token("revoke", shown["id"])
    assert (revoked.code, revoked.out, revoked.err) == (0, "", "")
    assert (await house.call("GET", "queues", token=shown["token"])).status == 401
    again = await token("revoke", shown["id"])
    assert (again.code, again.complaint) == (1, f"There is no token {shown['id']!r}.")


async def test_a_token_of_an_agent_is_made_from_a_shell(house: House, token):
    await house.agent()
    made = json.loads((await token("create", "--name", "his", "--role", "agent", "--agent", "1001")).out)
    me = await house.call("GET", "/api/v1/session", token=made["token"])
    assert (me.body["agent"], me.body["handler"], made["expires"]) == ("1001", "main", None)


async def test_only_an_administrators_token_makes_others(house: House, token):
    made = json.loads((await token("create", "--name", "reader", "--role", "integration")).out)
    refused = await token("create", "--name", "x", "--role", "admin", ACD_API_TOKEN=made["token"])
    assert (refused.code, refused.complaint) == (1, "The role integration may not do this.")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--role agent", "body.agent: is needed for the role agent, and for no other"),
        ("--role agent --agent nobody", "There is no agent 'nobody'."),
        ("--role integration --groups support", "body.groups: belong to the role supervisor"),
        ("--role admin --days 0", "body.expires_in_days: "),
    ],
)
async def test_a_token_that_makes_no_sense_is_one_line_and_exit_code_1(token, given, said):
    ran = await token("create", "--name", "x", *given.split())
    assert (ran.code, ran.out) == (1, "")
    assert ran.complaint.startswith(said)


@pytest.mark.parametrize("words", ["token", "token create", "token create --name x --role king", "account set dora"])
def test_a_token_or_account_without_what_it_needs_is_told_with_the_usage(acd: Run, words):
    ran = acd(*words.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"usage: acd {words.split()[0]}")


async def test_an_account_is_made_changed_and_removed_from_a_shell(house: House, account, tmp_path):
    async def log_in(password: str) -> int:
        body = json.dumps({"user": "dora", "password": password}).encode()
        house.client.session.cookie_jar.clear()
        return (await house.send("POST", "/api/v1/session", body, token=None)).status

    made = await account("set", "dora", "--role", "admin", given="correct horse\n")
    assert (made.code, json.loads(made.out)["role"]) == (0, "admin"), made.err
    assert await log_in("correct horse") == 201
    (tmp_path / "password").write_text("battery staple\n")
    await account("set", "dora", "--role", "admin", "--password-file", str(tmp_path / "password"))
    assert await log_in("battery staple") == 201
    changed = await account("set", "dora", "--role", "supervisor", "--groups", "support", "--keep-password")
    assert json.loads(changed.out)["groups"] == ["support"]
    assert await log_in("battery staple") == 201
    assert [each["name"] for each in json.loads((await account("list")).out)] == ["dora"]
    removed = await account("remove", "dora")
    assert (removed.code, removed.out, removed.err) == (0, "", "")
    assert await log_in("battery staple") == 403


async def test_a_password_that_is_of_no_use_is_one_line_and_not_repeated(account, tmp_path):
    short = await account("set", "dora", "--role", "admin", given="sesame\n")
    assert short.complaint.startswith("body.password: ")
    none = await account("set", "dora", "--role", "admin", given="")
    assert none.complaint.startswith("body.password: ")
    missing = await account("set", "dora", "--role", "admin", "--password-file", str(tmp_path / "none"))
    assert str(tmp_path / "none") in missing.complaint
    for ran in (short, none, missing):
        assert ran.code in (1, 2)
        assert "sesame" not in ran.err + ran.out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_a_password_is_asked_for_on_a_terminal(house: House, account, monkeypatch):
    """Where it is not shown, which getpass sees to."""
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "correct horse")
    monkeypatch.setattr(io, "StringIO", Terminal)
    made = await account("set", "dora", "--role", "admin")
    assert (made.code, asked) == (0, ["password: "])
    assert (await house.get("/api/v1/accounts"))["items"][0]["name"] == "dora"


# TLS of acd serve


async def test_serve_speaks_tls_and_takes_a_renewed_certificate_at_a_hangup_signal(tmp_path):
    files = Files(tmp_path)
    tls = {"ACD_WEB_TLS_CERTIFICATE": str(files.certificate), "ACD_WEB_TLS_KEY": str(files.key)}
    async with Switch("support") as switch, serving(switch, tmp_path, **tls) as (process, address, lines):
        assert address.startswith("https://127.0.0.1:")
        first = await serial(address, files.trusting())
        files.issue()
        process.send_signal(signal.SIGHUP)
        await until(lambda: "serving with the certificate as it is now" in "".join(lines), what="renewed")
        assert await serial(address, files.trusting()) != first
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 5) == 0
