"""Netstrings of JSON, the language of baresip's ctrl_tcp: `12:{"a": "b"},`."""

import json
from collections.abc import Mapping
from typing import Any

Message = dict[str, Any]

LONGEST = 1_000_000


class BadNetstring(Exception):
    """What came is not a netstring of a JSON object."""


def encode(message: Mapping[str, Any]) -> bytes:
    payload = json.dumps(message).encode()
    return b"%d:%s," % (len(payload), payload)


class Decoder:
    """Takes bytes as they come and gives back the messages that are complete."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Message]:
        self._buffer += data
        messages = []
        while (payload := self._next_payload()) is not None:
            messages.append(_to_message(payload))
        return messages

    def _next_payload(self) -> bytes | None:
        head, colon, rest = self._buffer.partition(b":")
        if not colon:
            self._refuse_if(len(head) > len(str(LONGEST)))
            return None
        self._refuse_if(not head.isdigit() or int(head) > LONGEST)
        length = int(head)
        if len(rest) <= length:
            return None
        self._refuse_if(rest[length : length + 1] != b",")
        self._buffer = rest[length + 1 :]
        return rest[:length]

    def _refuse_if(self, bad: bool) -> None:
        if bad:
            raise BadNetstring(f"not a netstring: {self._buffer[:40]!r}")


def _to_message(payload: bytes) -> Message:
    try:
        message = json.loads(payload.decode("utf-8", "replace"), strict=False)
    except ValueError as error:
        raise BadNetstring(f"not JSON: {payload[:80]!r}") from error
    if not isinstance(message, dict):
        raise BadNetstring(f"not a JSON object: {payload[:80]!r}")
    return message
