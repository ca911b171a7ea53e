"""acd token ... and acd account ...: who may come in, from a shell, over the web API, with an administrator's token."""

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from acd.access.principals import Role
from acd.agent_cli import Call, add_url, api, shown
from acd.settings import secret_of

Run = Callable[[Call, argparse.Namespace], Any]


def add_to(commands: Any) -> None:
    """Adds `token` and `account` and their sub-commands to the command line."""
    for name, text, add in (
        ("token", "make, list and revoke the tokens of programs", _add_token),
        ("account", "make, list and remove the accounts of supervisors and administrators", _add_account),
    ):
        parser = commands.add_parser(name, help=text, description=f"{text.capitalize()}, through the web API.")
        add_url(parser)
        add(parser.add_subparsers(required=True, metavar="action"))


def _action(actions: Any, name: str, run: Run, text: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    action.set_defaults(run=lambda options: shown(options.url, lambda: run(api(options.url), options)))
    return action


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _add_rights(action: argparse.ArgumentParser, *roles: Role) -> None:
    action.add_argument("--role", required=True, choices=[role.value for role in roles])
    action.add_argument("--groups", type=_names, help="a supervisor's, separated by commas; all unless given")


# Tokens ---------------------------------------------------------------------------------------------------


def _add_token(actions: Any) -> None:
    create = _action(actions, "create", _create, "make a token; its secret is in this answer and nowhere else")
    create.add_argument("--name", required=True, help="whose it is, as the log of commands shows it")
    _add_rights(create, *Role)
    create.add_argument("--agent", help="whom a token of the role agent stands for")
    create.add_argument("--handler", default="main", help="that agent's Asterisk server, main by default")
    create.add_argument("--days", type=float, help="for which it is valid; until it is revoked unless given")
    _action(actions, "list", _list_tokens, "live tokens, without their secrets")
    revoke = _action(actions, "revoke", _revoke, "let nobody in by a token any more")
    revoke.add_argument("id", help="as the list shows it")


def _create(call: Call, options: argparse.Namespace) -> Any:
    body = {"name": options.name, "role": options.role, "handler": options.handler}
    more = {"agent": options.agent, "groups": options.groups, "expires_in_days": options.days}
    return call("POST", "tokens", body=body | {name: value for name, value in more.items() if value is not None})


def _list_tokens(call: Call, _: argparse.Namespace) -> Any:
    return call("GET", "tokens")["items"]


def _revoke(call: Call, options: argparse.Namespace) -> Any:
    return call("DELETE", "tokens", options.id)


# Accounts -------------------------------------------------------------------------------------------------


def _add_account(actions: Any) -> None:
    put = _action(
        actions, "set", _set, "make an account, or change it; the password is asked for, or the first line read"
    )
    put.add_argument("name")
    _add_rights(put, Role.SUPERVISOR, Role.ADMIN)
    put.add_argument("--password-file", type=Path, help="where the password stands")
    put.add_argument("--keep-password", action="store_true", help="change the rest alone")
    _action(actions, "list", _list_accounts, "all accounts")
    remove = _action(actions, "remove", _remove, "take an account away; its sessions end")
    remove.add_argument("name")


def _set(call: Call, options: argparse.Namespace) -> Any:
    body = {"role": options.role, "groups": options.groups}
    if not options.keep_password:
        body["password"] = _password(options.password_file)
    return call("PUT", "accounts", options.name, body=body)


def _password(file: Path | None) -> str:
    """From a file, from the terminal, or from what is piped in: never from the command line, which others can see."""
    if file is not None:
        return secret_of(None, file, "--password-file")
    return getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


def _list_accounts(call: Call, _: argparse.Namespace) -> Any:
    return call("GET", "accounts")["items"]


def _remove(call: Call, options: argparse.Namespace) -> Any:
    return call("DELETE", "accounts", options.name)
