"""Somebody else at the same Asterisk: transfers, redirects and hangs up calls, moves members, behind acd's back."""

import asyncio

from acd.asterisk.link import Link, Login
from acd.asterisk.message import Message
from tests.e2e.containers import HOST, Containers
from tests.helpers import until

NAME, SECRET = "operator", "only-for-these-tests"  # site/manager.conf


class Operator:
    """An AMI user who may do everything, within the block."""

    def __init__(self, containers: Containers) -> None:
        self._link = Link(
            Login(HOST, containers.ports.ami, NAME, SECRET),
            wanted=(),
            on_message=lambda message, at: None,
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

    async def send(self, action: str, **headers: str) -> Message:
        """Raises Refused where Asterisk says no."""
        return await self._link.send(action, headers)

    async def channels(self) -> list[Message]:
        return await self._link.list_of("CoreShowChannels")

    async def channels_of(self, whom: str) -> list[str]:
        """The channels of a phone (1001) or of the caller with this number, oldest first."""
        mine = sorted((m for m in await self.channels() if _is_of(m, whom)), key=_age)
        return [m.get("Channel") or "" for m in mine]

    async def channel_of(self, whom: str) -> str:
        (channel,) = await self.channels_of(whom)
        return channel

    async def variable(self, channel: str, name: str) -> str:
        return (await self.send("Getvar", Channel=channel, Variable=name)).get("Value") or ""


def _age(channel: Message) -> list[int]:
    return [int(part) for part in (channel.get("Uniqueid") or "").split(".")]


def _is_of(channel: Message, whom: str) -> bool:
    name = channel.get("Channel") or ""
    return name.startswith(f"PJSIP/{whom}-") or (name.startswith("PJSIP/trunk-") and channel.get("CallerIDNum") == whom)
