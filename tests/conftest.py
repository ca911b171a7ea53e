"""What every test run has in common."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from tests import databases
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


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """What the command line set up for its logs is taken back afterwards: it would write to a stream that is closed."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    for name in ("panoramisk", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="of every acd in the tests")


@pytest.fixture(scope="session")
def with_tables(postgres: Postgres) -> Iterator[str]:
    """A database on the server that acd has made its tables in."""
    with PostgresDatabase.made(postgres) as database:
        with database.opened():
            pass
        yield make_url(database.url).database or ""


@pytest.fixture(autouse=True)
def _on_postgresql(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With --database=postgresql every house is on it; one folder is one database, as it is one file."""
    if request.config.getoption("database") == "sqlite":
        yield
        return
    if request.node.get_closest_marker("sqlite"):
        pytest.skip("it looks into the file of SQLite")
    server, template = request.getfixturevalue("postgres"), request.getfixturevalue("with_tables")
    made: dict[Path, str] = {}
    with ExitStack() as stack:

        def url_in(folder: Path) -> str:
            if folder not in made:
                made[folder] = stack.enter_context(PostgresDatabase.made(server, template)).url
            return made[folder]

        monkeypatch.setattr(databases, "url_in", url_in)
        yield


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield SqliteDatabase(tmp_path / "acd.db")
    else:
        with PostgresDatabase.made(request.getfixturevalue("postgres")) as database:
            yield database
