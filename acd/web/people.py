"""Who comes in: sessions of browsers, tokens of programs, accounts of people, and the log of what they asked for."""

import asyncio
import json
from typing import Any

from aiohttp import web
from sqlmodel import col, or_

from acd import pins
from acd.access import refusals as access
from acd.access.principals import ADMINS, EVERYBODY, Principal, Role
from acd.access.register import SESSION_FOR, Register, groups_of
from acd.clock import moment
from acd.core import refusals as no
from acd.store.tables import AccountRow, CommandRow, TokenRow
from acd.web import answers, models
from acd.web.answers import Page
from acd.web.operations import PUBLIC, Operations
from acd.web.problems import Invalid
from acd.web.requests import (
    DOOR,
    HANDLERS,
    PRINCIPAL,
    REGISTER,
    STORE,
    Handler,
    answer,
    as_cursor,
    body_of,
    cursor_of,
    moment_of,
    need_match,
    new_name,
    page,
    principal_of,
    query_of,
    written,
)

COOKIE = "acd_session"
COOKIE_IS: Any = {"httponly": True, "samesite": "Strict", "path": "/"}
SESSION, ACCOUNT = "/api/v1/session", "/api/v1/accounts/{account}"
OPERATIONS = Operations()


def _session_shape(who: Principal, expires: float | None) -> answers.Session:
    return {
        "name": who.name,
        "role": who.role.value,
        "handler": who.handler,
        "agent": who.agent,
        "groups": None if who.groups is None else sorted(who.groups),
        "expires": None if expires is None else moment(expires),
    }


@OPERATIONS.post(
    SESSION,
    PUBLIC,
    answers.Session,
    models.LogIn,
    no.WrongPin,
    no.PinLocked,
    access.WrongPassword,
    access.TooManyAttempts,
    access.Unauthorized,
    headers=("Set-Cookie",),
)
async def begin_session(request: web.Request) -> web.Response:
    """Log-in of a browser: an agent by id and PIN, a person by name and password, or anybody by a token.

    The session is a cookie that no script can read and no other site can send.
    """
    body, register = await body_of(request, models.LogIn), request.app[REGISTER]
    who = await request.app[DOOR].enter(request.remote or "", lambda: _let_in(request, body))
    request[PRINCIPAL] = who  # from here on it is his command
    _end(request)
    made = register.begin_session(who)
    response = answer(_session_shape(who, made.row.expires), 201)
    response.set_cookie(COOKIE, made.text, max_age=int(SESSION_FOR), secure=request.secure, **COOKIE_IS)
    return response


def _end(request: web.Request) -> None:
    """The browser's present session, if it has one."""
    text, register = request.cookies.get(COOKIE), request.app[REGISTER]
    who = register.find(text, "session") if text else None
    if who is not None:
        register.revoke(who.key)


async def _let_in(request: web.Request, body: models.LogIn) -> Principal:
    register = request.app[REGISTER]
    if body.agent is not None and body.pin is not None:
        handler = _handler_for_log_in(request, body.handler)
        if handler is None:
            raise no.WrongPin()
        await handler.commands.check_pin(body.agent, body.pin.get_secret_value())
        return Principal(f"agent {body.agent}", Role.AGENT, handler.name, body.agent)
    if body.user is not None and body.password is not None:
        return await register.log_in(body.user, body.password.get_secret_value())
    assert body.token is not None
    who = register.find(body.token.get_secret_value())
    if who is None:
        raise access.Unauthorized("This token lets nobody in.")
    return who


def _handler_for_log_in(request: web.Request, name: str | None) -> Handler | None:
    """Nobody who is not in yet can know the names: where there is one Asterisk, it is meant."""
    handlers = request.app[HANDLERS]
    if name is None and len(handlers) == 1:
        return next(iter(handlers.values()))
    return handlers.get(name or "main")


@OPERATIONS.get(SESSION, EVERYBODY, answers.Session)
async def get_who_you_are(request: web.Request) -> web.Response:
    """Who you are, by token or by session."""
    who = principal_of(request)
    return answer(_session_shape(who, request.app[REGISTER].expires(who.key)), request=request)


@OPERATIONS.delete(SESSION, PUBLIC, headers=("Set-Cookie",))
async def end_session(request: web.Request) -> web.Response:
    """Log-out: the cookie is worth nothing any more."""
    _end(request)
    response = web.Response(status=204)
    response.del_cookie(COOKIE, secure=request.secure, **COOKIE_IS)
    return response


# Tokens ---------------------------------------------------------------------------------------------------


def _token_shape(row: TokenRow, text: str | None = None) -> answers.Token:
    shown: answers.Token = {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "handler": row.handler,
        "agent": row.agent,
        "groups": groups_of(row),
        "created": moment(row.created),
        "created_by": row.created_by,
        "expires": None if row.expires is None else moment(row.expires),
    }
    return shown if text is None else {**shown, "token": text}


@OPERATIONS.get("/api/v1/tokens", ADMINS, Page[answers.Token], query=models.TokensQuery)
async def list_tokens(request: web.Request) -> web.Response:
    """The live tokens of programs, without their secrets."""
    query = query_of(request, models.TokensQuery)
    shown = [dict(_token_shape(row)) for row in request.app[REGISTER].tokens()]
    return answer(page(shown, query, lambda each: each["id"]), request=request)


@OPERATIONS.post("/api/v1/tokens", ADMINS, answers.Token, models.NewToken, no.UnknownAgent, no.StoreFailed)
async def create_token(request: web.Request) -> web.Response:
    """A new token. Its secret is in this answer and nowhere else."""
    body, who = await body_of(request, models.NewToken), principal_of(request)
    if body.agent is not None:
        handler = request.app[HANDLERS].get(body.handler)
        if handler is None or body.agent not in handler.state.agents:
            raise no.UnknownAgent(f"There is no agent {body.agent!r}.")
    made = request.app[REGISTER].make_token(
        body.name,
        Role(body.role),
        who.name,
        handler=body.handler if body.agent is not None else None,
        agent=body.agent,
        groups=body.groups,
        seconds=None if body.expires_in_days is None else body.expires_in_days * 86400.0,
    )
    await written(request.app[STORE])
    return answer(_token_shape(made.row, made.text), 201)


@OPERATIONS.delete("/api/v1/tokens/{token}", ADMINS, access.UnknownToken, no.StoreFailed)
async def revoke_token(request: web.Request) -> web.Response:
    """From now on nobody comes in by this token, nor by a session that was begun with it."""
    request.app[REGISTER].revoke(request.match_info["token"])
    await written(request.app[STORE])
    return web.Response(status=204)


# Accounts -------------------------------------------------------------------------------------------------


def _account_shape(row: AccountRow) -> answers.Account:
    return {"name": row.name, "role": row.role, "groups": groups_of(row), "changed": moment(row.changed)}


def _need_account_match(request: web.Request, register: Register, name: str) -> None:
    present = next((row for row in register.accounts() if row.name == name), None)
    need_match(request, None if present is None else _account_shape(present))


@OPERATIONS.get("/api/v1/accounts", ADMINS, Page[answers.Account], query=models.AccountsQuery)
async def list_accounts(request: web.Request) -> web.Response:
    """Supervisors and administrators who log in with a password."""
    query = query_of(request, models.AccountsQuery)
    shown = [dict(_account_shape(row)) for row in request.app[REGISTER].accounts()]
    return answer(page(shown, query, lambda each: each["name"]), request=request)


@OPERATIONS.get(ACCOUNT, ADMINS, answers.Account, access.UnknownAccount)
async def get_account(request: web.Request) -> web.Response:
    """A supervisor or administrator who logs in with a password."""
    return answer(_account_shape(request.app[REGISTER].account(request.match_info["account"])), request=request)


@OPERATIONS.put(ACCOUNT, ADMINS, answers.Account, models.AccountBody, no.StoreFailed, status=(200, 201), etag=True)
async def put_account(request: web.Request) -> web.Response:
    """Makes an account or changes it; another password ends its sessions."""
    name, register = new_name(request, "account"), request.app[REGISTER]
    body = await body_of(request, models.AccountBody)
    hashed = None if body.password is None else await pins.hashed(body.password.get_secret_value())
    _need_account_match(request, register, name)  # nothing is waited for between the look and the change
    if hashed is None and name not in [row.name for row in register.accounts()]:
        raise Invalid([{"loc": ["body", "password"], "msg": "is needed for a new account", "type": "missing"}])
    new = register.set_account(name, Role(body.role), body.groups, hashed)
    await written(request.app[STORE])
    return answer(_account_shape(register.account(name)), 201 if new else 200)


@OPERATIONS.delete(ACCOUNT, ADMINS, access.UnknownAccount, no.StoreFailed, etag=True)
async def delete_account(request: web.Request) -> web.Response:
    """Takes an account away; its sessions end."""
    register, name = request.app[REGISTER], request.match_info["account"]
    _need_account_match(request, register, name)
    register.remove_account(name)
    await written(request.app[STORE])
    return web.Response(status=204)


# The log of commands --------------------------------------------------------------------------------------


@OPERATIONS.get("/api/v1/audit-log", ADMINS, Page[answers.Command], no.StoreFailed, query=models.CommandsQuery)
async def list_commands(request: web.Request) -> web.Response:
    """Who asked for what, on whom, from where, with which result; the newest first."""
    query, store = query_of(request, models.CommandsQuery), request.app[STORE]
    where: list[Any] = []
    if query.start is not None:
        where.append(col(CommandRow.at) >= query.start.timestamp())
    if query.end is not None:
        where.append(col(CommandRow.at) < query.end.timestamp())
    if query.who is not None:
        where.append(col(CommandRow.who) == query.who)
    if query.path is not None:
        where.append(col(CommandRow.path).startswith(query.path, autoescape=True))
    if query.cursor is not None:
        at, id = cursor_of(query.cursor, moment_of)
        where.append(or_(col(CommandRow.at) < at, (col(CommandRow.at) == at) & (col(CommandRow.id) < id)))
    order = (col(CommandRow.at).desc(), col(CommandRow.id).desc())
    await written(store)
    rows = await asyncio.to_thread(store.rows, CommandRow, *where, by=order, limit=query.limit)
    last = as_cursor(rows[-1].at, rows[-1].id) if len(rows) == query.limit else None
    return answer({"items": [_command_shape(row) for row in rows], "next": last}, request=request)


def _command_shape(row: CommandRow) -> answers.Command:
    return {
        "id": row.id,
        "at": moment(row.at),
        "who": row.who,
        "role": row.role or None,
        "source": row.source,
        "method": row.method,
        "path": row.path,
        "body": None if row.body is None else json.loads(row.body),
        "status": row.status,
        "code": row.code,
    }
