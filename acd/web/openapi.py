"""The OpenAPI 3.1 description of the API, made from the table of operations and the types it names."""

import inspect
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from acd.access import refusals as access
from acd.access.principals import EVERYBODY, Role
from acd.core import refusals as no
from acd.core.refusals import Refusal
from acd.web import answers, repeats
from acd.web.fields import Field
from acd.web.operations import EVENTS, SWITCHING, Operation
from acd.web.people import COOKIE
from acd.web.problems import STATUS, KeyReused, title_of
from acd.web.schemas import REF, Schemas, example_of, examples_of, name_of

Json = dict[str, Any]
JSON, PROBLEM = "application/json", "application/problem+json"

ABOUT = """\
An automatic call distributor on top of Asterisk, with the agents, sessions, groups and queues of TAPI 3.

Field names are those of TAPI in snake_case, enumerators their names, times ISO 8601 in UTC, durations whole seconds
with a twin `<name>_exact`, rates decimals as strings with four places. New fields may be added; none is renamed.

Texts of the format `acd-name` are what Asterisk stores whole and shows as it is: printable, not empty, at most 79
bytes of UTF-8, without `,` `;` `|` and without blanks around it. `acd-reason`: the same, but it may be empty, and is
neither `wrapup` nor `logged off`. `acd-address`: such a name of the form `PJSIP/1001`. `acd-note`: printable and
not blank, at most 1000 characters, with line feeds. `acd-cursor`: the `next` of a page. `acd-time-zone`: a time zone
of IANA's. `acd-receiver`: an `http` or `https` address with a host, without user and password, at most 2000 printable
characters.

A command answers after Asterisk confirmed it, with the new state of what it changed, and can be repeated without harm.
Every error is a Problem whose `code` is never renamed. Beside those listed: 405 `method-not-allowed` with `Allow`,
where a path does not know a method, 404 `not-found` for a path that does not exist, 417 `expectation-failed`.
"""

TAGS = {
    "Handlers": "ITAgentHandler: the configured Asterisk servers.",
    "ACD groups": "ITACDGroup: named sets of queues for which agents log on.",
    "Addresses": "ITAddress: the phones of agents.",
    "Agents": "ITAgent: who takes calls.",
    "Sessions": "ITAgentSession: one log-on of an agent for one group at one phone.",
    "Queues": "ITQueue: where callers wait, and what can be done for them.",
    "Calls": "The ledger: what became of every call.",
    "Reports": "Figures of the past, each with its formula, numerator and denominator.",
    "Supervisors": "Listening in, notes, and what agents choose from.",
    "Stream": "Everything at one moment, and every change after it.",
    "Webhooks": "The stream, posted to those who cannot hold one.",
    "Who comes in": "Sessions of browsers, tokens of programs, accounts of people, and the log of their commands.",
    "Health": "For probes and for Prometheus; and this description.",
}
TAG_OF = {  # the first noun of a path, below the handler
    "handlers": "Handlers",
    "acd-groups": "ACD groups",
    "addresses": "Addresses",
    "agents": "Agents",
    "sessions": "Sessions",
    "queues": "Queues",
    "calls": "Calls",
    "reports": "Reports",
    "board": "Reports",
    "monitors": "Supervisors",
    "notes": "Supervisors",
    "choices": "Supervisors",
    "picture": "Stream",
    "events": "Stream",
    "ws": "Stream",
    "webhooks": "Webhooks",
    "session": "Who comes in",
    "tokens": "Who comes in",
    "accounts": "Who comes in",
    "audit-log": "Who comes in",
    "healthz": "Health",
    "readyz": "Health",
    "metrics": "Health",
    "openapi.json": "Health",
    "site": "Health",
    "docs": "Health",
}

PATH: dict[str, Field] = {
    "handler": Field("The name of a configured Asterisk server.", "main"),
    "group": Field("The name of an ACD group.", "support"),
    "agent": Field("The agent's id, or the user of an agent without one.", "1001"),
    "session": Field("The id of a session.", "c0ffee1234567890"),
    "queue": Field("The name of a queue.", "support"),
    "call": Field("The call: Asterisk's Uniqueid of the caller's channel.", "1763716500.42"),
    "monitor": Field("The id of a listening in.", "d1ce0ff1ce123456"),
    "token": Field("The id of a token.", "0123456789abcdef"),
    "webhook": Field("The id of a webhook.", "5f1c2a9be04d7731"),
    "account": Field("The name of an account.", "carol"),
}

IDS = frozenset({"session", "call", "monitor", "token", "webhook"})  # which acd gives; all else is a name

ROLES = "Who may: "
ROLE_NAMES = {
    Role.AGENT: "agents (themselves)",
    Role.SUPERVISOR: "supervisors (their groups)",
    Role.ADMIN: "administrators",
    Role.INTEGRATION: "integrations",
}


def description(operations: Sequence[Operation]) -> Json:
    """The whole document. Raises KeyError, saying which, where a field, parameter or path lacks its description."""
    schemas = Schemas()
    schemas.of(answers.Problem)
    schemas.add_models(each.body for each in operations if each.body is not None)
    paths: dict[str, Json] = defaultdict(dict)
    for operation in operations:
        paths[operation.path][operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "acd",
            "version": "1",
            "summary": "Agents, sessions, queues and calls of a call center.",
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This acd."}],
        "tags": _tags(operations),
        "paths": dict(paths),
        "webhooks": {"envelopes": {"post": _webhook(schemas)}},
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "headers": HEADERS,
            "responses": _every_refusal(operations),
            "securitySchemes": SECURITY,
        },
    }


SECURITY: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A program's token: `Authorization: Bearer acd_…`."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "A browser's session, from `POST /api/v1/session`. What changes something has to come from one "
        "of acd's own pages, which the browser says with `Origin` or `Sec-Fetch-Site`.",
    },
}

HEADERS: Json = {
    "ETag": {"description": "Another one for everything that differs.", "schema": {"type": "string"}, "required": True},
    "Idempotency-Replayed": {
        "description": "`true`: the command was carried out before, and this is the answer that it got.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds until another attempt is allowed.",
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
    },
    "Set-Cookie": {
        "description": f"`{COOKIE}`, which no script can read and no other site can send; empty after the log-out.",
        "schema": {"type": "string"},
        "required": True,
    },
    "WWW-Authenticate": {
        "description": "The scheme to come with.",
        "schema": {"type": "string", "enum": ["Bearer"]},
        "required": True,
    },
}


def _header(name: str) -> Json:
    return {"$ref": f"#/components/headers/{name}"}


def _tag(path: str) -> str:
    nouns = [part for part in path.split("/") if part and "{" not in part and part not in ("api", "v1")]
    return TAG_OF[nouns[1] if nouns[0] == "handlers" and len(nouns) > 1 else nouns[0]]


def _tags(operations: Iterable[Operation]) -> list[Json]:
    told = {_tag(operation.path) for operation in operations}
    return [{"name": name, "description": text} for name, text in TAGS.items() if name in told]


def _operation(operation: Operation, schemas: Schemas) -> Json:
    text = inspect.cleandoc(operation.handle.__doc__ or "")
    described: Json = {
        "operationId": operation.id,
        "tags": [_tag(operation.path)],
        "summary": _first_sentence(text),
        "description": f"{text}\n\n{_who(operation.roles)}",
        "parameters": [*_in_path(operation.path), *_in_query(operation, schemas), *_in_headers(operation)],
        "responses": _answers(operation, schemas) | _refusals(operation),
        "security": [{"bearer": []}, {"cookie": []}] if operation.roles else [],
        "x-roles": [role.value for role in Role if role in operation.roles],
    }
    if operation.body is not None:
        described["requestBody"] = _body(operation, schemas)
    return {key: value for key, value in described.items() if value != [] or key in ("security", "x-roles")}


def _first_sentence(text: str) -> str:
    return re.split(r"\.(?:\s|$)", text.partition("\n\n")[0])[0]


def _who(roles: Iterable[Role]) -> str:
    may = [ROLE_NAMES[role] for role in Role if role in frozenset(roles)]
    return f"{ROLES}{', '.join(may)}." if may else "Open to everybody who can reach the server."


# What goes in ---------------------------------------------------------------------------------------------


def _in_path(path: str) -> list[Json]:
    return [_path_parameter(name) for name in re.findall(r"{(\w+)}", path)]


def _path_parameter(name: str) -> Json:
    field = PATH[name]
    schema = {"type": "string", "minLength": 1} if name in IDS else {"type": "string", "format": "acd-name"}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": field.text,
        "schema": schema,
        "example": field.example,
    }


def _in_query(operation: Operation, schemas: Schemas) -> list[Json]:
    return [] if operation.query is None else schemas.parameters(operation.query)


def _in_headers(operation: Operation) -> list[Json]:
    wanted: list[tuple[str, str, Json]] = []
    if operation.etag and not operation.changes:
        text = "The ETag of an answer that you have: 304 when nothing is different by now."
        wanted.append(("If-None-Match", text, {"type": "string"}))
    if operation.etag and operation.changes:
        text = "The ETag of what you mean to change, or `*` for whatever is there: 412 when it is another by now."
        wanted.append(("If-Match", text, {"type": "string"}))
    if operation.changes and operation.roles:
        text = "Any text of your own: a command that comes again with it within ten minutes is not carried out twice."
        wanted.append((repeats.HEADER, text, {"type": "string", "minLength": 1, "maxLength": repeats.LONGEST}))
    if EVENTS in operation.media:
        text = "The `id` of the last message that you have, which a browser sends by itself: go on after it."
        wanted.append(("Last-Event-ID", text, {"type": "string", "pattern": r"^\d*$"}))
    if SWITCHING in operation.status:
        wanted.append(("Upgrade", "A WebSocket is wanted.", {"type": "string", "enum": ["websocket"]}))
    return [
        {"name": name, "in": "header", "required": name == "Upgrade", "description": text, "schema": schema}
        for name, text, schema in wanted
    ]


def _body(operation: Operation, schemas: Schemas) -> Json:
    assert operation.body is not None
    name = operation.body.__name__
    examples = examples_of(operation.body, schemas.components[name])
    return {
        "required": True,
        "content": {JSON: {"schema": {"$ref": REF + name}, "examples": _numbered(examples)}},
    }


def _numbered(examples: Sequence[Any]) -> Json:
    return {f"example-{number}": {"value": value} for number, value in enumerate(examples, 1)}


# What comes back ------------------------------------------------------------------------------------------


def _answers(operation: Operation, schemas: Schemas) -> Json:
    described = {str(status): _answer(operation, status, schemas) for status in operation.status}
    if operation.etag and not operation.changes:
        described["304"] = {"description": "Nothing is different.", "headers": {"ETag": _header("ETag")}}
    return described


def _answer(operation: Operation, status: int, schemas: Schemas) -> Json:
    described: Json = {"description": HTTPStatus(status).phrase}
    names = [*operation.headers]
    if operation.etag and not operation.changes:
        names.append("ETag")
    if operation.changes and operation.roles:
        names.append("Idempotency-Replayed")
    if names:
        described["headers"] = {name: _header(name) for name in names}
    if status == SWITCHING and operation.answers is not None:
        schemas.of(operation.answers)
        described["description"] += f": each text frame is an {name_of(operation.answers)}."
    elif operation.answers is not None:
        described["content"] = {media: _content(operation, media, schemas) for media in operation.media}
    return described


def _content(operation: Operation, media: str, schemas: Schemas) -> Json:
    if media == EVENTS:
        schemas.of(operation.answers)
        example = example_of(operation.answers)
        text = f"Frames whose `data` is an {name_of(operation.answers)}, and comments every 15 s."
        shown = f"id: {example['seq']}\ndata: {json.dumps(example)}\n\n"
        return {"schema": {"type": "string", "description": text}, "example": shown}
    if media != JSON:
        return {"schema": {"type": "string"}}
    if operation.answers is dict:
        return {"schema": {"type": "object"}}
    return {"schema": schemas.of(operation.answers), "example": example_of(operation.answers)}


def _webhook(schemas: Schemas) -> Json:
    """What acd itself sends."""
    proof = "`t=<seconds since 1970>,v1=<HMAC-SHA256 of t, a dot and the body with the secret, in hexadecimal digits>`"
    headers = {"Acd-Webhook": "The id of the webhook.", "Acd-Signature": f"Who sends it: {proof}."}
    body = {"schema": schemas.of(answers.WebhookPost), "example": example_of(answers.WebhookPost)}
    return {
        "operationId": "receive_envelopes",
        "tags": ["Webhooks"],
        "summary": "acd posts what happened to the address of a webhook",
        "description": "In order, one request at a time, at least once: drop what is not above the last `seq`.",
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        ],
        "requestBody": {"required": True, "content": {JSON: body}},
        "responses": {
            "2XX": {"description": "Taken. Anything else is tried again, ever later, without end."},
            "410": {"description": "Gone: the webhook is paused until somebody sets it going again."},
        },
        "security": [],
    }


class Fault(NamedTuple):
    """One way in which a request can go wrong."""

    status: int
    code: str
    detail: str
    hresult: int | None = None
    lineerr: int | None = None
    errors: tuple[str, ...] | None = None

    @property
    def example(self) -> Json:
        """As an OpenAPI example."""
        title = title_of(HTTPStatus(self.status))
        value: Json = {"status": self.status, "title": title, "detail": self.detail, "code": self.code}
        if self.hresult is not None and self.lineerr is not None:
            value |= {"hresult": f"0x{self.hresult:08X}", "lineerr": f"0x{self.lineerr:08X}"}
        if self.errors is not None:
            where, field, message, kind = self.errors
            value |= {"errors": [{"loc": [where, field], "msg": message, "type": kind}]}
        return {"value": value}


def _of(refusal: type[Refusal]) -> Fault:
    detail = " ".join((refusal.__doc__ or "").split("\n\n")[0].split())
    return Fault(STATUS[refusal].value, refusal.code, detail, refusal.hresult, refusal.lineerr)


BAD_REQUEST = Fault(400, "bad-request", "The request is no HTTP that can be read.")
NOT_FOUND = Fault(404, "not-found", "There is nothing at /api/v1/handlers/nowhere.")
TOO_SLOW = Fault(408, "request-timeout", "The body did not come within 30 s.")
CHANGED = Fault(412, "precondition-failed", "Somebody has changed it meanwhile: look again, and decide anew.")
TOO_LARGE = Fault(413, "content-too-large", "The body is too large.")
INVALID = Fault(
    422,
    "invalid",
    "query.colour: Extra inputs are not permitted",
    no.E_INVALIDARG,
    no.LINEERR_INVALPARAM,
    ("query", "colour", "Extra inputs are not permitted", "extra_forbidden"),
)
BROKEN = Fault(500, "internal-error", "Something went wrong inside acd.")


def _faults(operation: Operation) -> list[Fault]:
    """Everything that this operation can be refused with."""
    faults = {BAD_REQUEST, INVALID, BROKEN, *map(_of, operation.refusals)}
    names_a_handler = "{handler}" in operation.path
    if operation.roles:
        faults |= {_of(access.Unauthorized)}
    if operation.roles and (names_a_handler or operation.roles != EVERYBODY):
        faults |= {_of(access.Forbidden)}
    if operation.changes or SWITCHING in operation.status:
        faults |= {_of(access.ForeignOrigin)}
    if operation.changes and operation.roles:
        faults |= {_of(KeyReused)}
    if names_a_handler:
        faults |= {NOT_FOUND}
    if operation.body is not None:
        faults |= {TOO_SLOW, TOO_LARGE}
    if operation.etag and operation.changes:
        faults |= {CHANGED}
    return sorted(faults)


OF_STATUS: Mapping[int, str] = {401: "WWW-Authenticate", 429: "Retry-After"}


def _by_status(operation: Operation) -> dict[int, list[Fault]]:
    """One response a status, with every code that it can carry."""
    by_status: dict[int, list[Fault]] = defaultdict(list)
    for fault in _faults(operation):
        by_status[fault.status].append(fault)
    return by_status


def _name_of(faults: Iterable[Fault]) -> str:
    return ".".join(fault.code for fault in faults)


def _refusals(operation: Operation) -> Json:
    responses = _by_status(operation)
    return {str(status): {"$ref": f"#/components/responses/{_name_of(each)}"} for status, each in responses.items()}


def _every_refusal(operations: Iterable[Operation]) -> Json:
    """The responses to which the operations refer."""
    every = [item for operation in operations for item in _by_status(operation).items()]
    return {_name_of(faults): _refusal(status, faults) for status, faults in sorted(every)}


def _refusal(status: int, faults: Sequence[Fault]) -> Json:
    codes = {"properties": {"code": {"enum": [fault.code for fault in faults]}, "status": {"const": status}}}
    response: Json = {
        "description": "; ".join(f"`{fault.code}`: {fault.detail}" for fault in faults),
        "content": {
            PROBLEM: {
                "schema": {"allOf": [{"$ref": REF + "Problem"}, codes]},
                "examples": {fault.code: fault.example for fault in faults},
            }
        },
    }
    if status in OF_STATUS:
        response["headers"] = {OF_STATUS[status]: _header(OF_STATUS[status])}
    return response
