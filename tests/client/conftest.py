"""What the tests of the client have in common."""

import pytest

from acd.client import events


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that broke is opened again soon."""
    monkeypatch.setattr(events, "FIRST_DELAY", 0.002)
    monkeypatch.setattr(events, "LONGEST_DELAY", 0.02)
