"""The configuration of docs/security.md in a real nginx, where there is one: log-in, commands, the stream."""

import asyncio
import contextlib
import json
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.helpers import until
from tests.web.house import PIN, House, open_house
from tests.web.test_tls import NAME, Files

NGINX = shutil.which("nginx")
pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx here; tests/web/test_proxies.py has another")

AGENTS = [{"id": "1001", "user": "alice", "pin": PIN}]
DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "security.md"
AROUND = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{
access_log off;
client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{server}
}}
"""


def configuration(folder: Path, port: int, behind: int) -> str:
    """That of the document, with the ports and files of this test."""
    server = re.search(r"```nginx\n(.*?)```", DOCUMENT.read_text(), re.S).group(1)
    for theirs, ours in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("http://127.0.0.1:8080", f"http://127.0.0.1:{behind}"),
        ("/etc/ssl/acd/fullchain.pem", f"{folder}/certificate.pem"),
        ("/etc/ssl/acd/privkey.pem", f"{folder}/key.pem"),
    ):
        assert server.count(theirs) == 1
        server = server.replace(theirs, ours)
    return AROUND.format(folder=folder, server=server)


@asynccontextmanager
async def nginx(house: House, folder: Path) -> AsyncIterator[int]:
    """Its port, in front of the house."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(configuration(folder, port, house.client.port))
    process = await asyncio.create_subprocess_exec(str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"))
    try:
        await until(lambda: process.returncode is not None or listens(port), 10, what="nginx listens")
        assert process.returncode is None
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_a_page_works_behind_the_nginx_of_the_document(tmp_path):
    files = Files(tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        web = {"trusted_proxies": ["127.0.0.1"]}
        house = await stack.enter_async_context(open_house(tmp_path, agents=AGENTS, web=web))
        port = await stack.enter_async_context(nginx(house, tmp_path))
        of_tls: dict[str, Any] = {"ssl": files.trusting(), "server_hostname": NAME}
        url, headers = f"https://127.0.0.1:{port}", {"Host": NAME, "Origin": f"https://{NAME}"}
        browser = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        log_in = {"agent": "1001", "pin": PIN}
        lie = {"X-Forwarded-For": "203.0.113.9"}
        async with browser.post(f"{url}/api/v1/session", json=log_in, headers=headers | lie, **of_tls) as answer:
            assert answer.status == 201, await answer.text()
            cookie, *attributes = answer.headers["Set-Cookie"].split("; ")
            assert "Secure" in attributes
        page = headers | {"Cookie": cookie}
        events = await stack.enter_async_context(browser.get(f"{url}/api/v1/events", headers=page, **of_tls))
        assert await asyncio.wait_for(events.content.readuntil(b"\n\n"), 5)
        ws = await stack.enter_async_context(browser.ws_connect(f"{url}/api/v1/ws", headers=page, **of_tls))
        command = f"{url}/api/v1/handlers/main/agents/1001/state"
        async with browser.put(command, json={"state": "READY"}, headers=page, **of_tls) as answer:
            assert answer.status == 200, await answer.text()
            assert answer.headers["Strict-Transport-Security"]
        by_socket = json.loads((await ws.receive(5)).data)
        frame = (await asyncio.wait_for(events.content.readuntil(b"\n\n"), 5)).decode()
        assert json.loads(frame.partition("data: ")[2]) == by_socket
        foreign = page | {"Origin": "https://evil.example"}
        async with browser.put(command, json={"state": "READY"}, headers=foreign, **of_tls) as answer:
            assert answer.status == 403
        rows = (await house.get("/api/v1/audit-log"))["items"]
        assert [(row["status"], row["source"]) for row in rows] == [
            (403, "127.0.0.1"),
            (200, "127.0.0.1"),
            (201, "127.0.0.1"),  # and not what the client said of itself
        ]
