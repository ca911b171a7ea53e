"""acd backup FILE: a copy of a SQLite database, whole in itself, while acd runs."""

import argparse
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from acd.settings import Settings

PAGES = 1000  # copied at once; between two such steps acd can write


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of the command."""
    command.add_argument("file", type=Path, help="where the copy goes; it must not be there yet")


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Copies, and says so; 1 when it cannot be done."""
    try:
        url = make_url(settings.store.url.get_secret_value())
    except ArgumentError:
        return _failed("store.url is not the address of a database")
    if url.get_backend_name() != "sqlite":
        return _failed("the database is a server's: copy it with the server's own tool (PostgreSQL: pg_dump)")
    if options.file.exists():
        return _failed(f"{options.file} is there already")
    if not Path(url.database or "").is_file():
        return _failed(f"{url.database} is not there")
    try:
        with closing(sqlite3.connect(url.database or "")) as source, closing(sqlite3.connect(options.file)) as copy:
            source.backup(copy, pages=PAGES)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without others beside it
    except sqlite3.Error as error:
        options.file.unlink(missing_ok=True)
        return _failed(f"{url.database} cannot be copied to {options.file}: {error}")
    options.file.chmod(0o600)
    print(f"copied {url.database} to {options.file}")
    return 0


def _failed(why: str) -> int:
    print(f"acd: {why}", file=sys.stderr)
    return 1
