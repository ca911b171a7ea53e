"""Somebody else at the same Asterisk: transfers, redirects and hangs up calls, moves members, behind acd's back."""

import asyncio

from acd.asterisk.link import Link, Login
from acd.asterisk.message import Message
from tests.e2e.containers import HOST, Containers
from tests.helpers import until

NAME, SECRET = "operator", "only-for-these-tests"  # site/manager.conf
HEARS = (
    *("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon"),
    *("AgentCalled", "AgentConnect", "AgentComplete", "AgentRingNoAnswer"),
    *("QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause", "QueueMemberPenalty"),
    *("OriginateResponse", "ChanSpyStart", "ChanSpyStop"),
    *("Newchannel", "BridgeEnter", "BridgeLeave", "HangupRequest", "Hangup", "UserEvent", "Shutdown"),
)


class Operator:
    """An AMI user who may do everything (or another one), within the block. `events` is what he heard, in order."""

    def __init__(self, containers: Containers, name: str = NAME, secret: str = SECRET) -> None:
        self.events: list[Message] = []
        self._link = Link(
            Login(HOST, containers.ports.ami, name, secret),
            wanted=HEARS,
            on_message=lambda message, at: self.events.append(message),
            on_login=self._logged_in,
            on_loss=lambda reason: None,
        )

    async def _logged_in(self, link: Link) -> None:
        pass

    async def __aenter__(self) -> "Operator":
        self._running = asyncio.create_task(self._link.run())
        await until(lambda: self._link.linked, 10, "the operator is logged in")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._link.close()
        await self._running

    # Asking

    async def send(self, action: str, **headers: object) -> Message:
        """Raises Refused where Asterisk says no."""
        return await self._link.send(action, _as_text(headers))

    async def list_of(self, action: str, **headers: object) -> list[Message]:
        return await self._link.list_of(action, _as_text(headers))

    async def channels(self) -> list[Message]:
        return await self.list_of("CoreShowChannels")

    async def channels_of(self, whom: str) -> list[str]:
        """The channels of a phone (1001) or of the caller with this number, oldest first."""
        mine = sorted((m for m in await self.channels() if _is_of(m, whom)), key=_age)
        return [m.get("Channel") or "" for m in mine]

    async def channel_of(self, whom: str) -> str:
        (channel,) = await self.channels_of(whom)
        return channel

    async def variable(self, channel: str, name: str) -> str:
        return (await self.send("Getvar", Channel=channel, Variable=name)).get("Value") or ""

    # Hearing

    def heard(self, event: str, **headers: object) -> list[Message]:
        """The events of this name with these headers, so far."""
        wanted = _as_text(headers).items()
        return [one for one in self.events if one.event == event and all(one.get(key) == v for key, v in wanted)]

    async def hears(self, event: str, seconds: float = 5, **headers: object) -> Message:
        """The first such event, as soon as it is there."""
        await until(lambda: self.heard(event, **headers), seconds, f"{event} {headers}")
        return self.heard(event, **headers)[0]

    async def outlives_a_restart(self) -> None:
        """Returns when Asterisk has ended and has fully booted again."""
        await self.hears("Shutdown")
        await until(lambda: self._link.stats.reconnects, 20, "the operator is logged in again")


def _as_text(headers: dict[str, object]) -> dict[str, str]:
    return {header: str(value) for header, value in headers.items()}


def _age(channel: Message) -> list[int]:
    return [int(part) for part in (channel.get("Uniqueid") or "").split(".")]


def _is_of(channel: Message, whom: str) -> bool:
    name = channel.get("Channel") or ""
    return name.startswith(f"PJSIP/{whom}-") or (name.startswith("PJSIP/trunk-") and channel.get("CallerIDNum") == whom)
