"""Tones that softphones send, and which of them are in what somebody heard: pure functions on samples of 8000 Hz."""

import math
from collections.abc import Iterable, Sequence

RATE = 8000  # samples a second, as G.711 has them
LOUD = 32767  # the largest sample
AUDIBLE = LOUD // 16  # a phone's tone arrives at half of the largest sample; what is weaker than this is not one
SPAN = 20  # so many phones have tones of their own


def tone_of(extension: int) -> int:
    """The frequency in Hz that a phone sends; 1001 to 1020 have one each.

    Far enough apart, within what a telephone carries, and so that what distortion makes of two of them (multiples,
    sums, differences) is hardly ever a third.
    """
    n = (extension - 1001) % SPAN + 1
    return 408 + 63 * n + 3 * n * n


def strength(samples: Sequence[int], frequency: float) -> float:
    """The amplitude that a sine of this frequency has in the samples (Goertzel's algorithm); 0 without samples."""
    if not samples:
        return 0.0
    turn = 2 * math.pi * frequency / RATE
    factor = 2 * math.cos(turn)
    last = before = 0.0
    for sample in samples:
        last, before = sample + factor * last - before, last
    power = last * last + before * before - factor * last * before
    return 2 * math.sqrt(max(power, 0.0)) / len(samples)


def voices(samples: Sequence[int], extensions: Iterable[int]) -> set[int]:
    """Those of these phones whose tone can be heard."""
    return {one for one in extensions if strength(samples, tone_of(one)) >= AUDIBLE}
