"""The entry point of the containers: `python3 -m phones.host phones` and `python3 -m phones.host callers`."""

import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from phones.baresip import PhoneSettings, password, run_phones
from phones.callers import PORT
from phones.calls import BadOrder, CallEvent, CallOrder, CallResult, to_order
from phones.sipp import SippCall, SippCallees

log = logging.getLogger(__name__)

LEAVING_PATIENCE = 3.0


# --- settings ---------------------------------------------------------------------------------------------------


def server() -> str:
    return os.environ.get("ACD_SIP_SERVER", "asterisk")


def extensions(environment: dict[str, str]) -> list[int]:
    """ACD_PHONE_LIST ("1001,1005"), or ACD_SOFTPHONES many from 1001 on."""
    listed = environment.get("ACD_PHONE_LIST", "").replace(",", " ").split()
    if listed:
        return [int(extension) for extension in listed]
    return list(range(1001, 1001 + int(environment.get("ACD_SOFTPHONES") or 10)))


async def sip_secret() -> str:
    path = Path(os.environ.get("ACD_SIP_SECRET_FILE", "/run/secrets-acd/sip_secret"))
    while True:
        try:
            secret = path.read_text().strip()  # noqa: ASYNC240 (a few bytes, at the start)
        except OSError as error:
            log.info("no SIP secret yet: %s", error)
            secret = ""
        if secret:
            return secret
        await asyncio.sleep(1)


# --- container phones -------------------------------------------------------------------------------------------


async def phones() -> None:
    secret = await sip_secret()
    settings = [PhoneSettings(one, password(secret, one), server()) for one in extensions(dict(os.environ))]
    with tempfile.TemporaryDirectory() as folder:
        await run_phones(settings, Path(folder))


# --- container callers ------------------------------------------------------------------------------------------


class CallersHost:
    """One call a connection. Lines of JSON in: {"call": {...}}, later {"hangup": true}; out: the events."""

    def __init__(self) -> None:
        self._calls: dict[asyncio.Task[CallResult], SippCall] = {}

    async def run(self) -> None:
        listener = await asyncio.start_server(self._serve, "0.0.0.0", PORT)  # noqa: S104 (a container's port)
        try:
            await SippCallees().run()
        finally:
            listener.close()
            await self._all_leave()

    async def _all_leave(self) -> None:
        for call in self._calls.values():
            call.hang_up()
        if self._calls:
            await asyncio.wait(self._calls, timeout=LEAVING_PATIENCE)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            order = to_order(json.loads(await reader.readline())["call"])
            await self._make(order, reader, writer)
        except (BadOrder, ValueError, KeyError, TypeError) as error:
            _write(writer, {"error": f"not a call: {error}"})
        except OSError as error:
            _write(writer, {"error": f"cannot call: {error}"})
        finally:
            writer.close()

    async def _make(self, order: CallOrder, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def on_event(event: CallEvent) -> None:
            log.info("caller %s to %s: %s %s", order.caller, order.number, event.event, event.status or "")
            _write(writer, event.to_json())

        call = SippCall(order, server(), on_event)
        calling = asyncio.create_task(call.run())
        self._calls[calling] = call
        leaving = asyncio.create_task(_hang_up_when_told(call, reader))
        try:
            await asyncio.shield(calling)
        finally:
            leaving.cancel()
            self._calls.pop(calling, None)


async def _hang_up_when_told(call: SippCall, reader: asyncio.StreamReader) -> None:
    """Told by a line, whatever it says, or by the end of the connection."""
    try:
        await reader.readline()
    except (OSError, ValueError):
        pass  # cut: the same
    call.hang_up()


def _write(writer: asyncio.StreamWriter, fields: dict[str, Any]) -> None:
    if not writer.is_closing():
        writer.write(json.dumps(fields).encode() + b"\n")


async def callers() -> None:
    await CallersHost().run()


# --- start and end ----------------------------------------------------------------------------------------------


async def until_told(work: Coroutine[Any, Any, None]) -> None:
    """Runs it until it ends or SIGTERM or SIGINT comes."""
    task = asyncio.create_task(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log.info("told to end")


def start_log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)


def main(arguments: list[str]) -> int:
    containers: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {"phones": phones, "callers": callers}
    if len(arguments) != 1 or arguments[0] not in containers:
        print("usage: python3 -m phones.host phones|callers", file=sys.stderr)
        return 2
    start_log()
    asyncio.run(until_told(containers[arguments[0]]()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
