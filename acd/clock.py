"""The clock that acd counts by: the time of day when it started, and the seconds that have passed since.

Somebody may set the machine's clock; nothing lasts longer or shorter for that. Asterisk's clock, which all figures
are on, is known by its distance from this one.
"""

import time

_DAY, _START = time.time(), time.monotonic()


def steady() -> float:
    """Seconds since 1970, as they were right when acd started."""
    return _DAY + time.monotonic() - _START
