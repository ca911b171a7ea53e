"""The table of the faults, and where it is written."""

from pathlib import Path

import pytest

from tests.chaos import report
from tests.chaos.audit import Findings


def test_the_table_takes_the_place_of_the_former_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    monkeypatch.setattr(report, "PAGE", page)
    report.write({"acd-killed": Findings(calls=201, lost=["one"], to_truth=[0.5, 2.25])})
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| acd killed five times (SIGKILL) | 201 | 1 | 0 | 0 | 0 | 0 | 2.2 s |" in text


def test_a_truth_that_never_came_is_told() -> None:
    assert "| never |" in report.table({"acd-killed": Findings(to_truth=[float("inf"), 1.0])})


def test_the_page_has_both_marks_once() -> None:
    text = report.PAGE.read_text()
    assert text.count(report.BEGIN) == text.count(report.END) == 1
