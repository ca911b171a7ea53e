"""Costs against size as an SVG: both axes by powers of ten, a line for each cost, and one that grows as the size."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 230, 30, 50
COLOURS = ("#1b6ca8", "#b3541e", "#2e7d32", "#7b3fa0", "#8a6d00", "#a01f4d")


class Line(NamedTuple):
    """`points`: size and milliseconds."""

    name: str
    points: Sequence[tuple[float, float]]


class Scale(NamedTuple):
    """From a value to a place between two edges, by its logarithm."""

    low: int  # powers of ten
    high: int
    begin: float
    end: float

    def at(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)


def write_plot(path: Path, lines: Sequence[Line]) -> None:
    """One picture of all lines."""
    sizes, costs = zip(*(point for line in lines for point in line.points), strict=True)
    across = Scale(*_powers(sizes), LEFT, WIDTH - RIGHT)
    up = Scale(*_powers(costs), HEIGHT - BOTTOM, TOP)
    shapes = [*_axes(across, up)]
    for line, colour in zip(lines, COLOURS, strict=False):
        shapes += _drawn(line, colour, across, up)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="13">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def _powers(values: Sequence[float]) -> tuple[int, int]:
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def _axes(across: Scale, up: Scale) -> Iterator[str]:
    for power in range(across.low, across.high + 1):
        x = across.at(10**power)
        yield f'<path d="M{x:.0f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>'
        yield f'<text x="{x:.0f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{10**power:,}</text>'
    for power in range(up.low, up.high + 1):
        y = up.at(10**power)
        yield f'<path d="M{LEFT} {y:.0f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{10.0**power:,g} ms</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">agents</text>'
    decades = min(across.high - across.low, up.high - up.low)
    yield (
        f'<path d="M{across.at(10**across.low):.0f} {up.at(10**up.low):.0f}'
        f'L{across.at(10 ** (across.low + decades)):.0f} {up.at(10 ** (up.low + decades)):.0f}" '
        'stroke="#999" stroke-dasharray="4 4"/>'
    )


def _drawn(line: Line, colour: str, across: Scale, up: Scale) -> Iterator[str]:
    places = [(across.at(size), up.at(cost)) for size, cost in line.points]
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    yield f'<path d="M{way}" fill="none" stroke="{colour}" stroke-width="2"/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    x, y = places[-1]
    yield f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" fill="{colour}">{line.name}: {line.points[-1][1]:,.0f} ms</text>'
