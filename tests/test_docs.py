"""What the documents list is what the code has."""

import ast
import re
from pathlib import Path

from acd.access.principals import EVERYBODY, Role
from acd.audit.explain import KINDS
from acd.core.states import SESSION_MOVES, SessionState
from acd.settings import OTHERS, VARIABLES
from acd.web.app import OPERATIONS
from acd.web.problems import STATUS

DOCS = Path(__file__).parent.parent / "docs"


def test_every_route_is_in_the_api_document_and_no_other():
    listed = re.findall(r"^\| `(GET|PUT|POST|DELETE) (\S+)`", (DOCS / "api.md").read_text(), re.M)
    assert sorted(listed) == sorted((each.method, each.path) for each in OPERATIONS)


def test_every_error_code_is_in_the_api_document_beside_its_status():
    text = (DOCS / "api.md").read_text()
    rows = {row[0]: row[1] for row in re.findall(r"^\| (\d{3}) \| (.*)\|$", text, re.M)}
    for refusal, status in STATUS.items():
        assert f"`{refusal.code}`" in rows[str(status.value)]


def test_every_variable_is_in_the_configuration_document():
    text = (DOCS / "configuration.md").read_text()
    for variable in {*VARIABLES, *OTHERS}:
        assert f"`{variable}`" in text


def test_every_link_in_the_readme_leads_somewhere():
    readme = DOCS.parent / "README.md"
    for target in re.findall(r"\]\(([^)]+)\)", readme.read_text()):
        assert (readme.parent / target).exists(), target


def test_the_diagram_of_session_states_is_drawn_from_the_table_of_moves():
    drawn = [
        "    [*] --> NOT_READY",
        *(f"    {here.name} --> {there.name}" for here in SessionState for there in sorted(SESSION_MOVES[here])),
        "    SESSION_ENDED --> [*]",
    ]
    assert "\n".join(["```mermaid", "stateDiagram-v2", *drawn, "```"]) in (DOCS / "tapi.md").read_text()


def test_every_open_point_of_tapi_is_decided():
    decided = re.findall(r"^\| A(\d+) \|", (DOCS / "tapi.md").read_text(), re.M)
    assert [int(number) for number in decided] == list(range(1, 32))


def warnings() -> set[str]:
    """Every warning and error that acd logs, as in the code."""
    found = set()
    for path in (DOCS.parent / "acd").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="log"), attr="warning" | "error" | "exception"),
                    args=[ast.Constant(value=str(text)), *_],
                ):
                    found.add(text)
    return found


def test_every_warning_is_explained_to_who_runs_acd():
    text = (DOCS / "operations.md").read_text()
    assert len(warnings()) > 20
    for line in warnings():
        pieces = [piece.strip() for part in re.split(r"%[\d.]*[a-z]", line) for piece in re.split("[,;:(]", part)]
        assert max(pieces, key=len) in text, line


def test_every_explanation_of_the_audit_is_in_the_operations_document_and_no_other():
    listed = re.findall(r"^\| `(\w+)` \|", (DOCS / "operations.md").read_text().partition("# acd audit")[2], re.M)
    assert listed == list(KINDS)


def rows_of_roles() -> list[str]:
    """Who may ask for what, as the table of operations has it."""
    by_roles: dict[str, list[str]] = {}
    for each in OPERATIONS:
        roles = "every role" if each.roles == EVERYBODY else ", ".join(role for role in Role if role in each.roles)
        path = each.path.replace("/api/v1/handlers/{handler}", "H").replace("/api/v1", "")
        by_roles.setdefault(roles or "anybody, without a token", []).append(f"`{each.method} {path}`")
    return [f"| {roles} | {', '.join(sorted(by_roles[roles], key=_by_path))} |" for roles in sorted(by_roles)]


def _by_path(operation: str) -> list[str]:
    return operation.strip("`").split(" ")[::-1]


def test_the_table_of_roles_is_that_of_the_operations():
    table = (DOCS / "security.md").read_text().partition("| who | may ask for |\n|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == rows_of_roles()
