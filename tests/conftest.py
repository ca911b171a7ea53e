"""What every test run has in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import Database, PostgresDatabase, SqliteDatabase
from tests.e2e.containers import OneRunAtATime, Postgres

# The same examples in every run: a change is judged by what it changed, not by luck. `make fuzz` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("fuzz", settings.get_profile("same"), derandomize=False, max_examples=3000, print_blob=True)
settings.load_profile("same")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Removed at the end; what a killed run left behind is removed at the start."""
    with OneRunAtATime(Postgres.project):
        server = Postgres()
        server.down()
        try:
            server.up()
            yield server
        finally:
            server.down()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield SqliteDatabase(tmp_path / "acd.db")
    else:
        with PostgresDatabase.made(request.getfixturevalue("postgres")) as database:
            yield database
