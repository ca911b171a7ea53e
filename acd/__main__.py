"""The command line: acd serve | demo | check | audit | replay | backup | openapi | agent ... | token ... | ..."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from acd import access_cli, agent_cli, backup, check, demo_cli, logs, replay, serve
from acd.audit import command as audit
from acd.settings import Settings, SettingsError, load
from acd.web.app import DESCRIPTION

WITH_OPTIONS = {
    "check": check.add_options,
    "audit": audit.add_options,
    "replay": replay.add_options,
    "backup": backup.add_options,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, 1 when a check or command failed, 2 for wrong settings or usage."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except SettingsError as error:
        print(f"acd: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="acd", description="An automatic call distributor on top of Asterisk.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, run, text in (
        ("serve", _serve, "run the call center"),
        ("check", _check, "tell what this Asterisk and these settings lack"),
        ("audit", _audit, "recompute the figures from Asterisk's queue_log and compare them with acd's"),
        ("replay", _replay, "show agents and queues as they were at a past moment"),
        ("backup", _backup, "copy the database while acd runs"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--config", type=Path, help="the settings file (or ACD_CONFIG)")
        command.set_defaults(run=run)
        if name in WITH_OPTIONS:
            WITH_OPTIONS[name](command)
    text = "print the OpenAPI description of the API"
    commands.add_parser("openapi", help=text, description=text).set_defaults(run=_openapi)
    demo_cli.add_to(commands)
    agent_cli.add_to(commands)
    access_cli.add_to(commands)
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    path = options.config or (Path(os.environ["ACD_CONFIG"]) if os.environ.get("ACD_CONFIG") else None)
    return load(path)


def _serve(options: argparse.Namespace) -> int:
    settings = _settings(options)
    logs.set_up(settings.log.level, settings.log.format)
    asyncio.run(serve.serve(settings))
    return 0


def _replay(options: argparse.Namespace) -> int:
    return replay.run(_settings(options), options)


def _backup(options: argparse.Namespace) -> int:
    return backup.run(_settings(options), options)


def _check(options: argparse.Namespace) -> int:
    return asyncio.run(check.run(_settings(options), options))


def _openapi(_options: argparse.Namespace) -> int:
    print(DESCRIPTION.text, end="")
    return 0


def _audit(options: argparse.Namespace) -> int:
    return audit.run(_settings(options), options)


if __name__ == "__main__":
    sys.exit(main())
