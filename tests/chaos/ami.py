"""Asks Asterisk one question, over a connection made for it: so it works whatever happened before."""

import asyncio
from collections.abc import AsyncIterator

NAME, SECRET = "witness", "only-for-these-tests"  # site/manager.conf
PATIENCE = 3.0

Message = dict[str, str]


class Trouble(Exception):
    """Asterisk is not there, or not ready."""


async def ask(host: str, port: int, action: str) -> list[Message]:
    """The items of a list such as QueueStatus, as soon as Asterisk has fully booted. Raises Trouble."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _ask(host, port, action)
    except (OSError, TimeoutError, EOFError) as error:
        raise Trouble(repr(error)) from error


async def _ask(host: str, port: int, action: str) -> list[Message]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        await reader.readline()  # the banner
        writer.write(f"Action: Login\r\nUsername: {NAME}\r\nSecret: {SECRET}\r\n\r\n".encode())
        items: list[Message] = []
        async for message in _messages(reader):
            if message.get("Response") == "Error":
                raise Trouble(message.get("Message", ""))
            if message.get("Event") == "FullyBooted":
                writer.write(f"Action: {action}\r\nActionID: {action}\r\n\r\n".encode())
            elif message.get("ActionID") == action and "Event" in message:
                if message.get("EventList") == "Complete":
                    return items
                items.append(message)
        raise EOFError
    finally:
        writer.close()


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[Message]:
    while block := await reader.readuntil(b"\r\n\r\n"):
        lines = block.decode(errors="replace").split("\r\n")
        yield dict(line.split(": ", 1) for line in lines if ": " in line)
