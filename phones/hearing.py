"""What a softphone hears: baresip plays into a pipe, and the last of it is kept in memory."""

import asyncio
import base64
import os
from array import array
from pathlib import Path
from types import TracebackType

from phones.netstring import Message
from phones.sound import RATE

KEPT = 2 * RATE  # samples
BLOCK = 2048  # samples that baresip writes at a time
BYTES = 2  # of a sample
PIPE = "heard"


class Hearing:
    """The pipe into which baresip plays, within the block. `count` is how many samples have come in all."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / PIPE
        self._end = b""
        self._pipe = -1
        self.count = 0

    def __enter__(self) -> "Hearing":
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.mkfifo(self._path, 0o600)
        # For writing, too: so it neither ends when a call does, nor does baresip wait for a reader.
        self._pipe = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._pipe, self._read)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        asyncio.get_running_loop().remove_reader(self._pipe)
        os.close(self._pipe)
        self._path.unlink()

    def _read(self) -> None:
        # At the start and end of each call comes the head of a WAV file, 22 samples long: too short to be heard.
        self.take(os.read(self._pipe, 1 << 16))

    def take(self, data: bytes) -> None:
        self.count += len(data) // BYTES
        self._end = (self._end + data)[-KEPT * BYTES :]

    def to_message(self) -> Message:
        """The last two seconds, and `count`."""
        return {"count": self.count, "samples": base64.b64encode(self._end).decode()}


def samples_of(message: Message) -> tuple[int, list[int]]:
    """Back from a message: `count`, and the last two seconds."""
    return int(message["count"]), list(array("h", base64.b64decode(message["samples"])))
