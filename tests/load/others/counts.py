"""Stock panoramisk with ten handlers that keep the plainest counts a queue: what one writes in an afternoon."""

import asyncio
import json
import sys
import time
from collections import Counter

from panoramisk import Manager

waiting: dict[str, set[str]] = {}
talking: dict[str, str] = {}  # caller's channel -> queue
ringing: Counter[str] = Counter()
paused: dict[str, set[str]] = {}
device_of: dict[str, str] = {}
channels: set[str] = set()
entered, answered, abandoned, missed, ended = (Counter[str]() for _ in range(5))
lags: list[float] = []  # milliseconds from an event's own time until it is counted


def joined(_manager, message):
    waiting.setdefault(message["Queue"], set()).add(message["Uniqueid"])
    entered[message["Queue"]] += 1


def left(_manager, message):
    waiting.setdefault(message["Queue"], set()).discard(message["Uniqueid"])


def gave_up(_manager, message):
    abandoned[message["Queue"]] += 1


def called(_manager, message):
    ringing[message["Queue"]] += 1


def connected(_manager, message):
    ringing[message["Queue"]] -= 1
    answered[message["Queue"]] += 1
    talking[message["Uniqueid"]] = message["Queue"]


def not_answered(_manager, message):
    ringing[message["Queue"]] -= 1
    missed[message["Queue"]] += 1


def pause(_manager, message):
    members = paused.setdefault(message["Queue"], set())
    (members.add if message["Paused"] == "1" else members.discard)(message["Interface"])


def status(_manager, message):
    device_of[message["Interface"]] = message["Status"]


def began(_manager, message):
    lags.append(1000 * (time.time() - float(message["Timestamp"])))
    channels.add(message["Uniqueid"])


def hung_up(_manager, message):
    lags.append(1000 * (time.time() - float(message["Timestamp"])))
    channels.discard(message["Uniqueid"])
    if queue := talking.pop(message["Uniqueid"], None):
        ended[queue] += 1


HANDLERS = {
    "QueueCallerJoin": joined,
    "QueueCallerLeave": left,
    "QueueCallerAbandon": gave_up,
    "AgentCalled": called,
    "AgentConnect": connected,
    "AgentRingNoAnswer": not_answered,
    "QueueMemberPause": pause,
    "QueueMemberStatus": status,
    "Newchannel": began,
    "Hangup": hung_up,
}


async def main(host, port, user, secret):
    manager = Manager(host=host, port=int(port), username=user, secret=secret)
    for name, handler in HANDLERS.items():
        manager.register_event(name, handler)
    await manager.connect()
    print("listening", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    manager.close()
    told = {"entered": entered.total(), "answered": answered.total(), "abandoned": abandoned.total()}
    print(json.dumps(told | {"ms the longest lag": round(max(lags, default=0))}), flush=True)


asyncio.run(main(*sys.argv[1:5]))
