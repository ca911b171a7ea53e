"""TLS of the API by a certificate of its own, which can be renewed while acd runs."""

import asyncio
import logging
import ssl
from pathlib import Path

from aiohttp import web

from acd.settings import SettingsError, WebSettings

log = logging.getLogger(__name__)
HANDSHAKE_WITHIN = 10.0  # seconds


class Certificate:
    """The certificate of the settings and its key."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises SettingsError where they cannot be read or do not belong together."""
        self._certificate, self._key = certificate, key
        self.context = self._loaded()

    def renew(self) -> None:
        """Reads both files again; who connects from now on gets what is in them. Of no use, the present one stays."""
        try:
            self._loaded()  # tried apart, because half of it may go wrong
        except SettingsError as error:
            log.error("The renewed certificate is of no use, the present one stays: %s", error)
            return
        self.context.load_cert_chain(self._certificate, self._key)
        log.info("serving with the certificate as it is now in %s", self._certificate)

    def _loaded(self) -> ssl.SSLContext:
        for what, file in (("certificate", self._certificate), ("key", self._key)):
            try:
                file.read_bytes()
            except OSError as error:
                raise SettingsError(f"web.tls_{what}: {file} cannot be read: {error.strerror}") from None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self._certificate, self._key, password=_no_password)
        except ssl.SSLError as error:
            raise SettingsError(f"web.tls_certificate: {self._certificate}: {self._why(error)}") from None
        return context

    def _why(self, error: ssl.SSLError) -> str:
        if error.reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
            return f"{self._key} is the key of another certificate"
        return f"it or {self._key} is no PEM file, or locked with a password"


def _no_password() -> bytes:
    """In place of a question on the terminal."""
    return b""


def certificate_of(settings: WebSettings) -> Certificate | None:
    """None where the settings name none. Raises SettingsError."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None:
        raise SettingsError("web.tls_certificate: is not set, and web.tls_key is")
    if key is None:
        raise SettingsError("web.tls_key: is not set, and web.tls_certificate is")
    return Certificate(certificate, key)


class Site(web.TCPSite):
    """Where the API is served; who begins TLS and does not go on is not waited for long."""

    __slots__ = ()

    async def start(self) -> None:
        """Raises OSError."""
        if self._ssl_context is None:
            return await super().start()
        await web.BaseSite.start(self)
        assert self._runner.server is not None
        self._server = await asyncio.get_running_loop().create_server(
            self._runner.server,
            self._host,
            self._port,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=HANDSHAKE_WITHIN,
        )
        self._bound_port = self._server.sockets[0].getsockname()[1]
