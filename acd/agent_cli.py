"""acd agent ...: what an agent or a supervisor does, from a shell, over the web API."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from acd.settings import SettingsError, secret_of

Call = Callable[..., Any]
FAILURES = (OSError, HTTPException, ValueError, KeyError, TypeError)  # of a request and of what is made of its answer


def add_to(commands: Any) -> None:
    """Adds `agent` and its sub-commands to the command line."""
    agent = commands.add_parser(
        "agent", help="list agents, log them on and off, set their states", description="Works through the web API."
    )
    add_url(agent)
    agent.add_argument("--handler", default="main", help="the Asterisk server, main by default")
    actions = agent.add_subparsers(required=True, metavar="action")
    for name, run, words, text in ACTIONS:
        action = actions.add_parser(name, help=text, description=text)
        for word in words:
            action.add_argument(word.strip("?"), nargs="?" if word.endswith("?") else None, default="")
        action.set_defaults(run=_runner(run))


def add_url(parser: argparse.ArgumentParser) -> None:
    """Adds the option that says where acd is."""
    default = os.environ.get("ACD_URL", "http://127.0.0.1:8080")
    parser.add_argument("--url", default=default, help="of acd (or ACD_URL)")


def _runner(run: Callable[[Call, argparse.Namespace], Any]) -> Callable[[argparse.Namespace], int]:
    return lambda options: shown(options.url, lambda: run(api(options.url, options.handler), options))


def shown(url: str, ask: Callable[[], Any]) -> int:
    """Prints what was answered, as JSON, or in one line why it was refused; returns the exit status."""
    try:
        answer = ask()
    except FAILURES as error:
        print(f"acd: {why(url, error)}", file=sys.stderr)
        return 1
    if answer is not None:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    return 0


def api(url: str, handler: str | None = None) -> Call:
    """Asks the acd at this address, or one handler of it. What it returns raises one of FAILURES, or SettingsError."""
    of_handler = "" if handler is None else f"/handlers/{urllib.parse.quote(handler, safe='')}"
    base = f"{url.rstrip('/')}/api/v1{of_handler}"

    def call(method: str, *path: str, body: Any = None) -> Any:
        quoted = "/".join(urllib.parse.quote(part, safe="") for part in path)
        return _request(method, f"{base}/{quoted}", body)

    return call


def why(url: str, error: Exception) -> str:
    """One of FAILURES as a sentence."""
    match error:
        case urllib.error.HTTPError():
            return _detail(error)
        case OSError():
            return f"{url} cannot be reached: {getattr(error, 'reason', error)}"
    return f"{url} does not answer as acd does"


def _request(method: str, url: str, body: Any) -> Any:
    if not url.startswith(("http://", "https://")):
        raise OSError("the address must begin with http:// or https://")
    request = urllib.request.Request(url, method=method, headers={"Authorization": f"Bearer {_token()}"})  # noqa: S310
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=130) as answer:  # noqa: S310 - the scheme was checked above
        return None if answer.status == HTTPStatus.NO_CONTENT else json.load(answer)


def _token() -> str:
    """The token of ACD_API_TOKEN_FILE or ACD_API_TOKEN. Raises SettingsError."""
    path = os.environ.get("ACD_API_TOKEN_FILE")
    given = os.environ.get("ACD_API_TOKEN")
    token = secret_of(SecretStr(given) if given else None, Path(path) if path else None, "ACD_API_TOKEN")
    if not token.isascii() or not token.isprintable():
        raise SettingsError("ACD_API_TOKEN: must be printable ASCII")
    return token


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return str(error)


def _list(call: Call, _: argparse.Namespace) -> Any:
    return call("GET", "agents")["items"]


def _show(call: Call, options: argparse.Namespace) -> Any:
    return call("GET", "agents", options.agent)


def _add(call: Call, options: argparse.Namespace) -> Any:
    pin = os.environ.get("ACD_PIN") or sys.stdin.readline().strip()
    return call("POST", "agents", body={"id": options.agent, "user": options.user or options.agent, "pin": pin})


def _pin(call: Call, options: argparse.Namespace) -> Any:
    pin = os.environ.get("ACD_PIN") or sys.stdin.readline().strip()
    call("PUT", "agents", options.agent, "pin", body={"pin": pin})
    return call("GET", "agents", options.agent)


def _log_on(call: Call, options: argparse.Namespace) -> Any:
    body = {"acd_group": options.group, "address": options.address}
    return call("POST", "agents", options.agent, "sessions", body=body)


def _log_off(call: Call, options: argparse.Namespace) -> Any:
    return [
        call("PUT", "sessions", session["id"], "state", body={"state": "SESSION_ENDED"})
        for session in call("GET", "agents", options.agent, "sessions")["items"]
    ]


def _ready(call: Call, options: argparse.Namespace) -> Any:
    """Both the agent and all his sessions, as a call needs both."""
    for session in call("GET", "agents", options.agent, "sessions")["items"]:
        call("PUT", "sessions", session["id"], "state", body={"state": "READY"})
    return call("PUT", "agents", options.agent, "state", body={"state": "READY"})


def _not_ready(call: Call, options: argparse.Namespace) -> Any:
    return call("PUT", "agents", options.agent, "state", body={"state": "NOT_READY", "reason": options.reason})


ACTIONS: tuple[tuple[str, Callable[[Call, argparse.Namespace], Any], tuple[str, ...], str], ...] = (
    ("list", _list, (), "all agents with their states and figures"),
    ("show", _show, ("agent",), "one agent"),
    ("add", _add, ("agent", "user?"), "make an agent; the PIN comes from ACD_PIN or standard input"),
    ("pin", _pin, ("agent",), "give an agent another PIN; it comes from ACD_PIN or standard input"),
    ("log-on", _log_on, ("agent", "group", "address"), "log on for a group at a phone such as PJSIP/1001"),
    ("log-off", _log_off, ("agent",), "end all sessions; during a call, after it"),
    ("ready", _ready, ("agent",), "ready for calls, in all sessions"),
    ("not-ready", _not_ready, ("agent", "reason?"), "no calls, for a reason"),
)
