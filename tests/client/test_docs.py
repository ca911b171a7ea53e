"""docs/client.md: every example runs as it stands, on the real API with a fake Asterisk."""

import ast
import asyncio
import contextlib
import inspect
import json
import os
import re
import shlex
import shutil
import signal
import sys
from pathlib import Path

import pytest

from acd import client
from acd.web.app import OPERATIONS
from tests.client.office import address_of, client_of
from tests.web.house import TOKEN, House

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "docs" / "client.md").read_text(), re.M | re.S)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [code for language, code in BLOCKS if language == "sh"]
REQUEST = re.compile(r"^.*?\bapi (?!\()((?:-X|-N|-d|[\"'$]).*?)(?: \| field \w+\)?| \|\| .*)?$", re.M)


def requests() -> list[tuple[str, str, object]]:
    """Method, path and body of every `api` line."""
    found = []
    for line in REQUEST.findall("\n".join(SHELL[0].splitlines()[2:] + SHELL[1:])):
        words = shlex.split(line)
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
        (url,) = (word for word in words if word.startswith(("$H", "$ACD")))
        path = url.replace("$ACD", "").replace("$H", "/api/v1/handlers/main").partition("?")[0]
        found.append((method, path, body))
    return found


@pytest.mark.parametrize(("method", "path", "body"), requests())
def test_every_request_is_an_operation_and_its_body_fits(method, path, body):
    (operation,) = (
        each
        for each in OPERATIONS
        if each.method == method and re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", each.path), path)
    )
    assert (operation.body is None) == (body is None)
    if operation.body is not None:
        operation.body.model_validate(body)


def test_every_request_line_was_found():
    assert len(requests()) == "\n".join(SHELL).count("api ") >= 20


async def test_the_python_runs(house: House, monkeypatch, capsys):
    first, *others = PYTHON
    names: dict[str, object] = {"__name__": "docs"}
    first = first.replace('"http://127.0.0.1:8080"', repr(address_of(house))).replace('"..."', repr(TOKEN))
    exec(first.replace("asyncio.run(main())", ""), names)  # noqa: S102 - our own page
    await names["main"]()
    async with client_of(house) as center:
        names |= vars(client) | {"call_center": center}
        for code in others:
            made = eval(compile(code, "docs/client.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)  # noqa: S307
            if inspect.iscoroutine(made):
                await asyncio.wait_for(made, 10)
    printed = capsys.readouterr().out.splitlines()
    assert "main []" in printed and any(line.startswith("NOT_READY lunch 0 0.0000") for line in printed)
    assert any(line.endswith("alice is ready") for line in printed)
    assert any(line.startswith("403 wrong-pin 0x8004004a") for line in printed)


STOP_THE_BOT = """ & BOT=$!
until api $H/agents/1001/sessions | grep -qE '"state": ?"READY"'; do sleep 0.1; done
kill $BOT
wait $BOT
"""


def as_script() -> str:
    """All shell examples, with what goes on for ever ended."""
    script = "\n".join(["set -euo pipefail", *SHELL]).rstrip()
    script = script.replace("api -N", "api --max-time 1 -N").replace('after=$SEQ"', 'after=$SEQ" || test $? = 28')
    return script.replace("python3 examples", f"{sys.executable} examples") + STOP_THE_BOT


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
async def test_the_curl_runs(house: House):
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", as_script()),
        cwd=ROOT,
        env=os.environ | {"ACD": address_of(house).rstrip("/"), "TOKEN": TOKEN, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output
    assert re.search(r'^data: .*"type": ?"agent", ?"event": ?"READY"', output, re.M)
    assert "wrong-pin" in output and "refused" in output
    assert "alice takes calls for support at PJSIP/1001\nlogged off" in output
