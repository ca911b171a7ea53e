"""Users of the API in a process of their own, so that what they cost is not taken for acd's.

python -m tests.bench.visitors URL TOKEN what ...: prints what they lived through as JSON, on the clock that all share.
"""

import argparse
import asyncio
import json
import re
import sys
import time

import aiohttp

CONNECTIONS = 16  # of those who ask
SEQ = re.compile(rb"^id: (\d+)\ndata: ", re.MULTILINE)


async def ask(client: aiohttp.ClientSession, path: str, rate: float, times: int) -> list[float]:
    """Seconds from when each request was due to its whole answer: who asks does not wait for whoever asked before."""

    async def one(due: float) -> float:
        await asyncio.sleep(due - time.monotonic())
        async with client.get(path) as answer:
            assert answer.status == 200, answer.status
            await answer.read()
        return time.monotonic() - due

    began = time.monotonic() + 0.1
    return await asyncio.gather(*(one(began + number / rate) for number in range(times)))


async def ask_in_turn(client: aiohttp.ClientSession, path: str, times: int) -> list[float]:
    """Seconds of each answer, one after the other."""
    taken = []
    for _ in range(times):
        began = time.monotonic()
        async with client.get(path) as answer:
            assert answer.status == 200, answer.status
            await answer.read()
        taken.append(time.monotonic() - began)
    return taken


async def pages(client: aiohttp.ClientSession, path: str) -> int:
    """All pages of a list, or the one of what is none; returns how many bytes they had."""
    size, cursor = 0, ""
    while cursor is not None:
        async with client.get(path, params={"cursor": cursor} if cursor else {}) as answer:
            assert answer.status == 200, await answer.text()
            data = await answer.read()
        size += len(data)
        cursor = json.loads(data).get("next")
    return size


async def begin_anew(client: aiohttp.ClientSession, many: int) -> list[int]:
    """Subscribers who ask for what is gone; the bytes of what each got first."""

    async def one() -> int:
        async with client.get("/api/v1/events?after=999999999999") as stream:
            size = 0
            async for data in stream.content.iter_any():
                size += len(data)
                if size > 1000 and data.endswith(b"\n\n"):  # behind the first line, which only says where he is
                    break
            return size

    return await asyncio.gather(*(one() for _ in range(many)))


async def listen(client: aiohttp.ClientSession, many: int) -> dict[int, list[float]]:
    """When each subscriber heard each number; ends when a line comes on standard input."""
    heard: dict[int, list[float]] = {}
    ready = asyncio.Barrier(many + 1)

    async def one() -> None:
        async with client.get("/api/v1/events?type=agent,agent-session,call,queue") as stream:
            await ready.wait()
            async for data in stream.content.iter_any():
                now = time.monotonic()
                for found in SEQ.finditer(data):
                    heard.setdefault(int(found[1]), []).append(now)

    listeners = [asyncio.create_task(one()) for _ in range(many)]
    await ready.wait()
    print("listening", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for each in listeners:
        each.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    return heard


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("what", choices=["ask", "ask_in_turn", "listen", "pages", "begin_anew"])
    parser.add_argument("--path", default="/")
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    limit = 0 if options.what in ("listen", "begin_anew") else CONNECTIONS
    async with aiohttp.ClientSession(
        options.url,
        headers={"Authorization": f"Bearer {options.token}"},
        connector=aiohttp.TCPConnector(limit=limit),
        timeout=aiohttp.ClientTimeout(total=None),
    ) as client:
        match options.what:
            case "ask":
                said: object = await ask(client, options.path, options.rate, options.times)
            case "ask_in_turn":
                said = await ask_in_turn(client, options.path, options.times)
            case "pages":
                said = await pages(client, options.path)
            case "begin_anew":
                said = await begin_anew(client, options.times)
            case _:
                said = await listen(client, options.times)
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
