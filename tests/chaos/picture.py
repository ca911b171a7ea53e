"""Whether acd's picture of the moment is Asterisk's: who waits, who is a member, who is paused, who talks."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from tests.chaos.ami import Message
from tests.e2e.desk import Api, Json

PAUSED = {"READY": (False,), "NOT_READY": (True,), "BUSY_WRAPUP": (True,), "BUSY_ON_CALL": (False, True)}

BUSY = ("BUSY_ON_CALL", "BUSY_WRAPUP")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the API shows. `sessions`: (queue, address) -> state."""

    linked: bool
    sessions: dict[tuple[str, str], str]
    waiting: dict[str, frozenset[str]]


async def shown(api: Api) -> Shown:
    """Every group here is one queue of the same name."""
    linked = bool((await api.get(""))["linked"])
    agents = (await api.get("/agents"))["items"]
    queues = [one["name"] for one in (await api.get("/queues"))["items"]]
    lists = await asyncio.gather(*(api.get(f"/agents/{one['agent']}/sessions") for one in agents))
    waiting = await asyncio.gather(*(api.get(f"/queues/{name}/calls") for name in queues))
    sessions = [session for one in lists for session in one["items"]]
    return Shown(
        linked,
        {(one["acd_group"], one["address"]): one["state"] for one in sessions},
        {name: frozenset(one["call"] for one in calls["items"]) for name, calls in zip(queues, waiting, strict=True)},
    )


def differences(before: Shown, asterisk: Iterable[Message], after: Shown) -> list[str]:
    """Asterisk was asked between two looks at the API: what it says must fit to one of them."""
    if not (before.linked and after.linked):
        return ["acd is not linked"]
    messages = list(asterisk)
    members = {(one["Queue"], one["Location"]): one for one in messages if one["Event"] == "QueueMember"}
    found = []
    for key in sorted(members.keys() | before.sessions.keys() | after.sessions.keys()):
        member = members.get(key)
        if not any(_fits(key, look, member) for look in (before, after)):
            states = before.sessions.get(key), after.sessions.get(key)
            found.append(f"{key}: {states[0]}, then {states[1]}; Asterisk: {member and _standing(member)}")
    for queue in sorted(before.waiting.keys() | after.waiting.keys()):
        ours = before.waiting.get(queue, frozenset()), after.waiting.get(queue, frozenset())
        theirs = {one["Uniqueid"] for one in messages if one["Event"] == "QueueEntry" and one["Queue"] == queue}
        if not ours[0] & ours[1] <= theirs <= ours[0] | ours[1]:
            found.append(f"{queue}: {sorted(ours[0])}, then {sorted(ours[1])} wait; Asterisk: {sorted(theirs)}")
    return found


def _standing(member: Message) -> str:
    return " ".join(f"{name}={member[name]}" for name in ("Status", "Paused", "PausedReason", "InCall"))


def _fits(key: tuple[str, str], look: Shown, member: Message | None) -> bool:
    state = look.sessions.get(key)
    if state is None or member is None:
        return state is None and member is None
    if member["InCall"] == "1" and state != "BUSY_ON_CALL":
        return False
    # Who is busy in one session is held back in the others, which stay READY.
    busy_elsewhere = any(there[1] == key[1] and other in BUSY for there, other in look.sessions.items())
    return (member["Paused"] == "1") in PAUSED.get(state, ()) or (state == "READY" and busy_elsewhere)


def stuck(api_sessions: Iterable[Json], asterisk: Iterable[Message], waiting: dict[str, frozenset[str]]) -> list[str]:
    """When all calls are over: who is still held by one that is none."""
    return [
        *(
            f"session of {one['agent']} for {one['acd_group']}: {one['state']}, next {one['next_state']}"
            for one in api_sessions
            if one["state"] != "READY" or one["next_state"] is not None
        ),
        *(
            f"member {one['Location']} of {one['Queue']}: paused, {one['PausedReason']}"
            for one in asterisk
            if one["Event"] == "QueueMember" and one["Paused"] == "1"
        ),
        *(f"queue {queue}: {call} waits and is gone" for queue, calls in waiting.items() for call in calls),
    ]
