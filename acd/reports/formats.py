"""Rows of a report as text, piece by piece: JSON with each figure as an object, CSV with three columns a figure."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from acd.reports.figures import MEANINGS, Figure
from acd.reports.reports import Row

CHUNK = 32 * 1024  # characters
# What a spreadsheet would take for a formula. The apostrophe is among them, so that one that was there can be told
# from one that was put in front.
TAKEN_FOR_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "＝", "＋", "－", "＠")  # noqa: RUF001 - so they are


def as_json(head: dict[str, Any], blank: Row, rows: Iterable[Row]) -> Iterator[str]:
    """One object: the head, the formulas of the figures, the rows as items."""
    yield json.dumps({**head, "figures": figures_of(blank)})[:-1] + ', "items": ['
    between = "\n"
    for row in rows:
        yield between + json.dumps({name: plain(value) for name, value in row.items()})
        between = ",\n"
    yield '\n], "next": null}\n'


def figures_of(row: Row) -> dict[str, dict[str, str]]:
    """The formula and the meaning of each figure of such a row."""
    figures = {name: value for name, value in row.items() if isinstance(value, Figure)}
    return {name: {"formula": value.formula, "meaning": MEANINGS[name]} for name, value in figures.items()}


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if not isinstance(value, Figure):
        return value
    number, numerator, denominator, formula = value
    return {"value": number, "numerator": numerator, "denominator": denominator, "formula": formula}


def as_csv(blank: Row, rows: Iterable[Row]) -> Iterator[str]:
    """RFC 4180 with a line of names. `blank`: a row with the columns of all."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_flat(blank))
    for row in rows:
        writer.writerow(_flat(row).values())
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()  # the line of names, where no row came


def _flat(row: Row) -> dict[str, str | float]:
    cells: dict[str, str | float] = {}
    for name, value in row.items():
        if isinstance(value, Figure):
            cells |= {name: _cell(value.value), f"{name}_numerator": value.numerator}
            cells[f"{name}_denominator"] = value.denominator
        elif name == "histogram":
            for step in value:
                limit = f"{step['threshold']:.6f}".rstrip("0").rstrip(".")
                for kind in ("answered", "abandoned"):
                    cells[f"{kind}_within_{limit}"] = step[kind]
        else:
            cells[name] = _cell(value)
    return cells


def _cell(value: Any) -> str | float:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return harmless(value)
        case dict():
            return json.dumps(value)
        case list():  # calls
            return harmless(" ".join(call["call"] for call in value))
    number: float = value
    return number


def harmless(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(TAKEN_FOR_FORMULAS) else text


def chunks(texts: Iterable[str]) -> Iterator[bytes]:
    """The same in pieces worth sending."""
    waiting: list[str] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size >= CHUNK:
            yield "".join(waiting).encode()
            waiting.clear()
            size = 0
    yield "".join(waiting).encode()
