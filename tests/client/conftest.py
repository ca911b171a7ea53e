"""What the tests of the client have in common."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from acd.client import TAPICallCenter, events
from tests.client.office import client_of
from tests.web.house import House, open_house


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that broke is opened again soon."""
    monkeypatch.setattr(events, "FIRST_DELAY", 0.002)
    monkeypatch.setattr(events, "LONGEST_DELAY", 0.02)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
async def center(house: House) -> AsyncIterator[TAPICallCenter]:
    """An administrator's."""
    async with client_of(house) as center:
        yield center
