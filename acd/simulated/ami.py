"""The manager interface of the simulated Asterisk: a socket on this machine alone."""

import asyncio
import hmac
from typing import Self

from acd.simulated import messages
from acd.simulated.actions import Actions
from acd.simulated.agenda import Clockwork
from acd.simulated.messages import Headers
from acd.simulated.world import World

LONGEST = 65536  # bytes of an action


class Server:
    """Listens on a free port of 127.0.0.1 while entered."""

    def __init__(self, world: World, username: str, secret: str, clockwork: Clockwork) -> None:
        """`clockwork`: begins when somebody listens; so nothing is told that nobody hears."""
        self.port = 0
        self._world = world
        self._actions = Actions(world)
        self._username, self._secret = username, secret
        self._clockwork = clockwork
        self._logged_in: set[asyncio.StreamWriter] = set()
        self._held: list[bytes] | None = None  # events that follow from the action that is carried out
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LONGEST)
        self.port = self._server.sockets[0].getsockname()[1]
        self._world.hear.append(self._tell)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._world.hear.remove(self._tell)
        self._server.close()
        self.cut()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Ends all connections, as a broken network does."""
        for writer in list(self._open):
            writer.close()

    def _tell(self, data: bytes) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        for writer in self._logged_in:
            writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            writer.write(messages.BANNER)
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                self._take(dict(line.split(": ", 1) for line in lines if ": " in line), writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, KeyError):
            pass  # the other side is gone, or speaks no AMI
        except asyncio.CancelledError:
            pass  # the server ends
        finally:
            self._logged_in.discard(writer)
            self._open.discard(writer)
            writer.close()

    def _take(self, action: Headers, writer: asyncio.StreamWriter) -> None:
        if action["Action"] == "Login":
            writer.write(self._log_in(action, writer))
            if self._logged_in:
                self._clockwork.start()
        elif action["Action"] == "Logoff":
            writer.write(messages.block("Response: Goodbye", f"ActionID: {action['ActionID']}"))
            writer.close()
        elif writer not in self._logged_in:
            writer.write(messages.error(action, "Permission denied"))
        elif action["Action"] == "Ping":
            writer.write(messages.success(action, "Ping: Pong", f"Timestamp: {self._clockwork.clock():.6f}"))
        else:
            self._carry_out(action, writer)

    def _log_in(self, action: Headers, writer: asyncio.StreamWriter) -> bytes:
        same_secret = hmac.compare_digest(action.get("Secret", "").encode(), self._secret.encode())
        if action.get("Username") != self._username or not same_secret:
            return messages.error(action, "Authentication failed")
        self._logged_in.add(writer)
        booted = messages.fully_booted(self._world.now - self._world.booted)
        return messages.success(action, "Message: Authentication accepted") + booted

    def _carry_out(self, action: Headers, writer: asyncio.StreamWriter) -> None:
        """Like Asterisk, it answers first and tells the events after that."""
        self._clockwork.catch_up()
        self._held = []
        try:
            writer.write(self._actions.act(action))
        finally:
            held, self._held = self._held, None
            self._tell(b"".join(held))
