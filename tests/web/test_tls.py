"""TLS over a real socket, with certificates made here; and the headers that every answer carries."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from acd.settings import SettingsError, WebSettings
from acd.web import tls
from acd.web.tls import Certificate, Site, certificate_of
from tests.web.house import PIN, TOKEN, House, open_house

NAME = "acd.example"


class Files:
    """A certificate for acd.example and its key in two files, by an authority of our own."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        self.issue()

    def issue(self) -> None:
        made = self.authority.issue_cert(NAME)
        self.key.write_bytes(made.private_key_pem.bytes())
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))

    def trusting(self) -> ssl.SSLContext:
        """What a client needs who trusts that authority."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@asynccontextmanager
async def served(house: House, certificate: Certificate) -> AsyncIterator[str]:
    """The house's application by TLS on a port of its own."""
    site = Site(house.client.server.runner, "127.0.0.1", 0, ssl_context=certificate.context)
    await site.start()
    try:
        assert site.name.startswith("https://")
        yield f"https://127.0.0.1:{site.port}"
    finally:
        await site.stop()


async def ask(url: str, context: ssl.SSLContext, method: str = "GET", **more: Any) -> Any:
    """The answer, read; on a connection of its own."""
    connector = aiohttp.TCPConnector(force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.request(method, url, ssl=context, server_hostname=NAME, **more) as answer,
    ):
        await answer.read()
        return answer


async def serial(url: str, context: ssl.SSLContext) -> str:
    """Of the certificate that is shown there."""
    host, port = url.removeprefix("https://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=NAME)
    shown = writer.get_extra_info("peercert")["serialNumber"]
    writer.close()
    await writer.wait_closed()
    return str(shown)


async def test_the_api_and_its_pages_are_served_by_tls(tmp_path, files):
    agents = [{"id": "1001", "user": "alice", "pin": PIN}]
    certificate = Certificate(files.certificate, files.key)
    async with open_house(tmp_path, agents=agents) as house, served(house, certificate) as url:
        context = files.trusting()
        answer = await ask(f"{url}/api/v1/handlers", context, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status == 200
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        entered = await ask(f"{url}/api/v1/session", context, "POST", json={"agent": "1001", "pin": PIN})
        cookie, *attributes = entered.headers["Set-Cookie"].split("; ")
        assert {"Secure", "HttpOnly", "SameSite=Strict"} <= set(attributes)
        command = f"{url}/api/v1/handlers/main/agents/1001/state"
        for origin, status in ((url, 200), (url.replace("https", "http"), 403)):
            headers = {"Cookie": cookie, "Origin": origin}
            answer = await ask(command, context, "PUT", json={"state": "READY"}, headers=headers)
            assert answer.status == status
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await ask(f"{url}/healthz", ssl.create_default_context())  # who does not know the authority


async def test_an_old_tls_is_refused(tmp_path, files):
    async with open_house(tmp_path) as house, served(house, Certificate(files.certificate, files.key)) as url:
        old = files.trusting()
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning):
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask(f"{url}/healthz", old)


async def test_a_renewed_certificate_is_shown_to_who_connects_from_then_on(tmp_path, files):
    async with open_house(tmp_path) as house:
        certificate = Certificate(files.certificate, files.key)
        async with served(house, certificate) as url:
            first = await serial(url, files.trusting())
            files.issue()
            assert await serial(url, files.trusting()) == first
            certificate.renew()
            second = await serial(url, files.trusting())
            assert second != first


@pytest.mark.parametrize("spoil", ["certificate", "key", "both"])
async def test_a_renewal_that_is_of_no_use_leaves_the_present_certificate(tmp_path, files, spoil, caplog):
    async with open_house(tmp_path) as house:
        certificate = Certificate(files.certificate, files.key)
        async with served(house, certificate) as url:
            first = await serial(url, files.trusting())
            before = files.key.read_bytes()
            files.issue()
            if spoil in ("certificate", "both"):
                files.certificate.write_text("nonsense")
            if spoil in ("key", "both"):
                files.key.write_bytes(before)  # half of it was copied
            certificate.renew()
            assert await serial(url, files.trusting()) == first
    assert "The renewed certificate is of no use, the present one stays: web.tls_certificate" in caplog.text


async def test_who_begins_tls_and_says_nothing_is_not_waited_for(tmp_path, files, monkeypatch):
    monkeypatch.setattr(tls, "HANDSHAKE_WITHIN", 0.2)
    async with open_house(tmp_path) as house, served(house, Certificate(files.certificate, files.key)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


# Settings that cannot be used


def test_without_either_file_there_is_no_tls():
    assert certificate_of(WebSettings()) is None


def test_one_file_without_the_other_is_refused(files):
    for given, missing in (("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")):
        with pytest.raises(SettingsError, match=rf"^web\.{missing}: is not set, and web\.{given} is$"):
            certificate_of(WebSettings.model_validate({given: files.key}))


def unusable(files: Files) -> str:
    with pytest.raises(SettingsError) as refused:
        certificate_of(WebSettings(tls_certificate=files.certificate, tls_key=files.key))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_file_that_cannot_be_read_is_named(files):
    for what, file in (("certificate", files.certificate), ("key", files.key)):
        content = file.read_bytes()
        file.unlink()
        assert unusable(files) == f"web.tls_{what}: {file} cannot be read: No such file or directory"
        file.write_bytes(content)


def test_files_that_do_not_belong_together_are_named(files):
    key = files.key.read_bytes()
    files.issue()
    files.key.write_bytes(key)
    assert unusable(files) == f"web.tls_certificate: {files.certificate}: {files.key} is the key of another certificate"


@pytest.mark.parametrize("content", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n"])
def test_files_that_hold_something_else_are_named(files, content):
    for file in (files.certificate, files.key):
        before = file.read_bytes()
        file.write_text(content)
        assert str(files.certificate) in unusable(files)
        file.write_bytes(before)


def test_a_key_that_is_locked_with_a_password_asks_nobody(files):
    from cryptography.hazmat.primitives import serialization as s  # trustme brings it

    key = s.load_pem_private_key(files.key.read_bytes(), None)
    locked = s.BestAvailableEncryption(b"secret")
    files.key.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, locked))
    assert "locked with a password" in unusable(files)


# Headers


async def test_every_answer_tells_browsers_to_guess_nothing_and_to_tell_nothing(tmp_path):
    async with open_house(tmp_path) as house:
        answers = [
            await house.call("GET", "agents"),
            await house.call("GET", "agents", token=None),
            await house.call("GET", "/no/such/thing"),
            await house.call("PATCH", "agents"),
            await house.call("GET", "/healthz", token=None),
            await house.send("GET", "agents", b"", Expect="nonsense"),
        ]
        for answer in answers:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Server"] == "acd"
            assert "Strict-Transport-Security" not in answer.headers
        reader, writer = await asyncio.open_connection("127.0.0.1", house.client.port)
        writer.write(b"nonsense\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert b"X-Content-Type-Options: nosniff" in head
        writer.close()


async def test_what_the_api_tells_is_kept_by_no_browser(tmp_path):
    async with open_house(tmp_path) as house:
        for path in ("agents", "/api/v1/tokens", "/api/v1/picture", "agents/nobody"):
            assert (await house.call("GET", path)).headers["Cache-Control"] == "no-store"
        answer = await house.call("POST", "/api/v1/tokens", {"name": "x", "role": "integration"})
        assert answer.headers["Cache-Control"] == "no-store"
