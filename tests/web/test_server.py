"""How many may be connected, by what the system and the settings say."""

import logging
import subprocess
import sys

import pytest

from acd.web.server import connections_for

ASKED = """
import resource
from acd.web.server import open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 700))
print(open_files(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_acd_takes_as_many_files_as_the_system_lets_it_have():
    told = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, timeout=30, check=True)
    assert told.stdout.split() == ["700", "700", "700"]


@pytest.mark.parametrize(
    ("files", "wanted", "connections"),
    [
        (1_048_576, 5000, 5000),
        (1024, 5000, 824),
        (5200, 5000, 5000),
        (5199, 5000, 4999),
        (1024, 700, 700),
        (64, 50, 20),
    ],
)
def test_connections_follow_from_the_files_that_may_be_open(files, wanted, connections, caplog):
    caplog.set_level(logging.WARNING)
    assert connections_for(files, wanted) == connections
    assert (f"instead of {wanted}" in caplog.text) == (connections < wanted)
