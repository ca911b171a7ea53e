"""ITTAPICallCenter over the web API: the way in."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any
from weakref import WeakSet

from acd.access.principals import Principal, Role
from acd.client.connection import Connection, Query
from acd.client.events import BITS, SILENCE, EventStream
from acd.client.objects import AgentHandler, CallCenterPicture, EnumAgentHandler, picture_of
from acd.contract import TapiEvent

Names = str | Iterable[str]


class TAPICallCenter:
    """ITTAPICallCenter, with what this API has beyond it."""

    def __init__(self, connection: Connection, principal: Principal) -> None:
        self._connection = connection
        self.principal = principal  # who we are, and how far that reaches
        self._streams: WeakSet[EventStream] = WeakSet()

    async def agent_handlers(self) -> list[AgentHandler]:
        """get_AgentHandlers: the servers that are connected, as a handler appears when its proxy does."""
        shown = (await self._connection.ask("GET", "handlers"))["items"]
        return [AgentHandler(self._connection, each["name"], each) for each in shown if each["linked"]]

    async def enumerate_agent_handlers(self) -> EnumAgentHandler:
        """EnumerateAgentHandlers."""
        return EnumAgentHandler(await self.agent_handlers())

    async def agent_handler(self, name: str = "main") -> AgentHandler:
        """By name, connected or not."""
        return AgentHandler(self._connection, name, await self._connection.ask("GET", "handlers", name))

    async def picture(self) -> CallCenterPicture:
        """All that there is now; `events(after=picture.seq)` goes on from there."""
        return picture_of(self._connection, await self._connection.ask("GET", "picture"))

    def events(
        self,
        types: TapiEvent | Names = (),
        *,
        queue: Names = (),
        agent: Names = (),
        group: Names = (),
        after: int | None = None,
        silence: float = SILENCE,
    ) -> EventStream:
        """What happens from now on, or after the event with this number; of these types, queues, agents, groups only.

        `types`: TAPI's bits, or the API's names, such as "call"; a Reset comes in any case. `silence`: seconds after
        which a stream that says nothing counts as broken.
        """
        names = [name for bit, name in BITS.items() if bit & types] if isinstance(types, TapiEvent) else types
        wanted = {"type": names, "queue": queue, "agent": agent, "group": group}
        query = {name: ",".join(_each(given)) for name, given in wanted.items() if given}
        gapless = not query and self.principal.reaches_all
        stream = EventStream(self._connection, query, after, silence, gapless=gapless)
        self._streams.add(stream)
        return stream

    async def request(self, method: str, *path: str, body: object = None, query: Query = ()) -> Any:
        """Any other request: `request("PUT", "handlers", "main", "queues", "support", "wrap-up-time", body={...})`.

        `path` is what comes after /api/v1, a part each; they are quoted here. Returns the body of the answer.
        """
        return await self._connection.ask(method, *path, body=body, query=query)

    async def close(self) -> None:
        """Ends every stream of events and every connection."""
        for stream in list(self._streams):
            await stream.aclose()
        await self._connection.close()


def _each(names: Names) -> Iterable[str]:
    return (names,) if isinstance(names, str) else names


@asynccontextmanager
async def connect(
    url: str, *, token: str, ssl: SSLContext | bool = True, timeout: float = 120.0, patience: float = 30.0
) -> AsyncIterator[TAPICallCenter]:
    """acd at this address: `async with connect("https://acd.example:8080", token=...) as call_center`.

    `ssl`: another context than the system's, such as ssl.create_default_context(cafile="acd.pem"); `timeout`: seconds
    for an answer; `patience`: seconds in which what acd refused for the moment (Retry-After) is asked again.

    Raises ApiError (401) for a wrong token, Unreachable, ValueError for an address that is none.
    """
    connection = Connection(url, token, ssl=ssl, timeout=timeout, patience=patience)
    try:
        call_center = TAPICallCenter(connection, _principal(await connection.ask("GET", "session")))
        try:
            yield call_center
        finally:
            await call_center.close()
    finally:
        await connection.close()


def _principal(shown: Mapping[str, Any]) -> Principal:
    groups = None if shown["groups"] is None else frozenset(shown["groups"])
    return Principal(shown["name"], Role(shown["role"]), shown["handler"], shown["agent"], groups)
