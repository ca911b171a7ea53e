"""The audit is worth something only while it shares no code with what it audits."""

import ast
from pathlib import Path

import pytest

import acd.audit

MODULES = sorted(Path(acd.audit.__file__).parent.glob("*.py"))
SHARED = {"acd.asterisk.queue_log", "acd.asterisk.log_files"}  # readers of lines and files
COMMAND = {"acd", "acd.agent_cli", "acd.settings"}  # what every command has


def imported(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return {name for name in found if name.split(".")[0] == "acd"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_no_module_of_the_audit_imports_the_core(module):
    others = {name for name in imported(module) if not name.startswith("acd.audit.")}
    assert others <= SHARED | (COMMAND if module.stem == "command" else set())
