"""The clock that acd counts by: the time of day when it started, and the seconds that have passed since; time as text.

Somebody may set the machine's clock; nothing lasts longer or shorter for that. Asterisk's clock, which all figures
are on, is known by its distance from this one.
"""

import time
from datetime import UTC, datetime
from functools import lru_cache

_DAY, _START = time.time(), time.monotonic()


def steady() -> float:
    """Seconds since 1970, as they were right when acd started."""
    return _DAY + time.monotonic() - _START


@lru_cache(maxsize=1024)  # what concerns every agent is at the same moment
def moment(at: float) -> str:
    """Seconds since 1970 as ISO 8601 UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
