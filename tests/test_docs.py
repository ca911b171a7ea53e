"""What the documents list is what the code has."""

import re
from pathlib import Path

from acd.settings import OTHERS, VARIABLES
from acd.web.api import ROUTES
from acd.web.problems import STATUS

DOCS = Path(__file__).parent.parent / "docs"


def test_every_route_is_in_the_api_document_and_no_other():
    listed = re.findall(r"^\| `(GET|PUT|POST|DELETE) (\S+)`", (DOCS / "api.md").read_text(), re.M)
    assert sorted(listed) == sorted((method, path) for method, path, _ in ROUTES)


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
