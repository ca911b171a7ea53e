"""Both accounts of a made-up call center."""

import os
from pathlib import Path

import pytest

from tests.audit.books import Books, runner


@pytest.fixture
def books(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Books:
    for name in [name for name in os.environ if name.startswith("ACD_")]:
        monkeypatch.delenv(name)
    return Books(tmp_path, runner(capsys))
