"""The rig for the few faults that every run of the end-to-end tests tries."""

import signal
from collections.abc import Iterator

import pytest

from tests.chaos.rig import Rig
from tests.e2e.containers import OneRunAtATime


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """Removed at the end, however it comes; what a killed run left behind is removed at the start."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # pytest cleans up after Ctrl-C only
    with OneRunAtATime(Rig.project):
        rig = Rig()
        rig.down()
        try:
            rig.up()
            yield rig
        finally:
            rig.down()
