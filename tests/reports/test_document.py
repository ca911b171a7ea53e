"""docs/reports.md lists what the code computes, word for word."""

import re
from pathlib import Path
from typing import Literal

from acd.reports.figures import FIELDS, FORMULAS, MEANINGS
from acd.reports.formats import TAKEN_FOR_FORMULAS
from acd.reports.periods import STEPS
from acd.web import reports
from acd.web.reports import OPERATIONS, ReportQuery

TEXT = (Path(__file__).parent.parent.parent / "docs" / "reports.md").read_text()


def test_every_figure_is_there_with_its_formula_and_its_meaning():
    listed = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| (.+) \|$", TEXT, re.M)
    assert listed == [(name, FORMULAS[name], MEANINGS[name]) for name in FORMULAS]


def test_every_field_is_there_with_its_meaning():
    listed = re.findall(r"^\| `(\w+)` \| (.+) \|$", TEXT.partition("## Fields")[2], re.M)
    assert listed == list(FIELDS.items())


def test_every_report_and_every_parameter_is_there():
    head = TEXT.partition("## What belongs where")[0]
    for operation in OPERATIONS:
        below = operation.path.removeprefix(f"{reports.H}/").removeprefix("/api/v1/")
        assert f"| `{below}` |" in head
    for name, field in ReportQuery.model_fields.items():
        assert f"`{field.alias or name}`" in head
    assert ReportQuery.model_fields["interval"].annotation == Literal[tuple(STEPS)]
    for step in STEPS:
        assert f"`{step}`" in head


def test_limits_are_those_of_the_code():
    assert (reports.AT_ONCE, reports.MOST_WAITING, reports.WAIT, reports.CLIENT_WITHIN) == (2, 8, 10.0, 60.0)
    assert "Two reports are made at a time, eight may wait for ten seconds" in TEXT
    assert "takes nothing for a minute" in TEXT
    defaults = {name: field.get_default() for name, field in ReportQuery.model_fields.items()}
    assert f"{defaults['threshold']:g} by default" in TEXT
    assert f"{defaults['short_abandon']:g} by default" in TEXT
    assert ",".join(f"{limit:g}" for limit in sorted(defaults["histogram"])) + " by default" in TEXT


def test_what_begins_a_formula_is_named():
    for sign in ("=", "+", "-", "@"):
        assert sign in TAKEN_FOR_FORMULAS and f"`{sign}`" in TEXT
