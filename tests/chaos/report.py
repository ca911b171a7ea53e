"""The table of the faults, and its place in docs/reliability.md."""

from tests.chaos.audit import KINDS, Findings
from tests.chaos.faults import FAULTS
from tests.e2e.containers import REPOSITORY

PAGE = REPOSITORY / "docs" / "reliability.md"
BEGIN, END = "<!-- the table of make chaos: begin -->", "<!-- the table of make chaos: end -->"


def table(found: dict[str, Findings]) -> str:
    """As Markdown."""
    head = ("fault", "calls", *KINDS, "longest time to truth")
    rows = [_row(FAULTS[name].title, one) for name, one in found.items()]
    return "\n".join(["| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows)])


def _row(title: str, found: Findings) -> tuple[str, ...]:
    return title, str(found.calls), *(str(len(getattr(found, kind))) for kind in KINDS), _longest(found)


def _longest(found: Findings) -> str:
    if not found.to_truth:
        return "-"
    longest = max(found.to_truth)
    return "never" if longest == float("inf") else f"{longest:.1f} s"


def write(found: dict[str, Findings]) -> None:
    """Between the two marks of the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(found)}\n\n{END}{after}")
