"""Tokens of programs, sessions of browsers, accounts of people: kept as hashes, found in memory.

A token is `acd_<id>_<secret>`. Its secret is random, so a plain hash of it is enough; a person's password is not,
so it gets argon2id, as PINs do. Whether somebody is let in is decided anew at each request: a session is worth
nothing as soon as what it was begun with (a token, an account, a PIN) is gone or another.
"""

import hashlib
import hmac
import json
import logging
import math
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from sqlmodel import col

from acd import pins
from acd.access.attempts import Attempts
from acd.access.principals import Principal, Role
from acd.access.refusals import TooManyAttempts, UnknownAccount, UnknownToken, WrongPassword
from acd.store import Store
from acd.store.tables import AccountRow, TokenRow

log = logging.getLogger(__name__)

PREFIX = "acd"
OF_PIN = "pin-"  # begins the parent of a session that an agent began with his PIN
SESSION_FOR = 12 * 3600.0  # seconds; a working day and the way home
MOST_WRONG, LOCKED_FOR = 5, 300.0  # passwords of one account; seconds
SWEEP_EVERY = 60.0  # seconds between two looks at what has expired
MOST_SESSIONS, MOST_OF_ONE = 10_000, 20  # the oldest ends when there would be more, of all or of one person


class Made(NamedTuple):
    """A new token: its row, and the secret text, which is told only now."""

    row: TokenRow
    text: str


class Register:
    """Everybody who may come in, apart from agents' PINs."""

    def __init__(
        self,
        store: Store,
        api_token: str,
        kept_pin: Callable[[str, str], str | None],
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """`api_token`: the one of the settings, an administrator's. `kept_pin`: what is kept of the PIN of an agent of
        a handler, "" for none; None where there is no such agent. `ticks`: seconds, for those who are locked out.
        """
        self._store = store
        self._clock = clock
        self._api_token = api_token
        self._api_token_key = f"settings-{_hash(f'settings {api_token}')[:16]}"  # of another token another
        self._kept_pin = kept_pin
        self._tokens: dict[str, TokenRow]
        self._sessions: dict[tuple[str | None, ...], list[str]]  # whose -> ids, oldest first
        self._accounts: dict[str, AccountRow]
        self.renew(*self.kept())
        self.changes = 0  # made here
        self._swept = clock()
        self._attempts = Attempts(MOST_WRONG, LOCKED_FOR, ticks)

    def kept(self) -> tuple[list[TokenRow], list[AccountRow]]:
        """What the database has of the living; may be called in any thread. Raises SQLAlchemyError."""
        live = (col(TokenRow.revoked).is_(None),)
        tokens = self._store.rows(TokenRow, *live, by=[col(TokenRow.created)])
        return tokens, self._store.rows(AccountRow, col(AccountRow.removed).is_(False))

    def renew(self, tokens: Iterable[TokenRow], accounts: Iterable[AccountRow]) -> None:
        """Everybody who may come in from now on."""
        self._tokens = {row.id: row for row in tokens}
        self._sessions = {}
        for row in self._tokens.values():
            if row.kind == "session":
                self._sessions.setdefault(_bearer(row), []).append(row.id)
        self._accounts = {row.name: row for row in accounts}

    def _keep(self, row: TokenRow | AccountRow) -> None:
        self.changes += 1
        self._store.keep(row)

    # Tokens and sessions ----------------------------------------------------------------------------------

    def find(self, text: str, kind: str = "token") -> Principal | None:
        """Whose token or session this is; None for one that is wrong, revoked or expired."""
        if kind == "token" and _same(text, self._api_token):
            return self.principal(self._api_token_key)
        prefix, _, rest = text.partition("_")
        id, _, secret = rest.partition("_")
        row = self._tokens.get(id)
        if prefix != PREFIX or row is None or row.kind != kind or not _same(_hash(secret), row.hash):
            return None
        return self.principal(id)

    def principal(self, key: str) -> Principal | None:
        """Whom the token or session of this id lets in, and as what, at this moment; None: nobody any more."""
        if key == self._api_token_key:
            return Principal("api-token", Role.ADMIN, key=key)
        row = self._tokens.get(key)
        if row is None or not self._is_live(row):
            return None
        account = self._accounts[row.name] if _is_of_account(row) else None
        rights = row if account is None else account  # an account's may have been changed since he came
        return Principal(row.name, Role(rights.role), row.handler, row.agent, _groups(rights.groups), row.id)

    def is_live(self, key: str) -> bool:
        """The token or session of this id still lets its bearer in."""
        row = self._tokens.get(key)
        return key == self._api_token_key or (row is not None and self._is_live(row))

    def expires(self, key: str) -> float | None:
        """When the token or session of this id ends by itself; None: never."""
        row = self._tokens.get(key)
        return None if row is None else row.expires

    def _is_live(self, row: TokenRow) -> bool:
        if row.revoked is not None or (row.expires is not None and row.expires <= self._clock()):
            return False
        if row.agent is not None and self._kept_pin(row.handler or "", row.agent) is None:
            return False
        if _is_of_account(row):
            return row.name in self._accounts
        if row.parent is None:
            return row.kind == "token"
        if row.parent.startswith(OF_PIN) and row.agent is not None:
            return _same(row.parent, self._mark_of_pin(row.handler or "", row.agent))
        return self.is_live(row.parent)

    def _mark_of_pin(self, handler: str, agent: str) -> str:
        """Another one after every change of the PIN. Keyed, because PINs are short and could be tried out."""
        kept = "\0".join((handler, agent, self._kept_pin(handler, agent) or ""))
        return OF_PIN + hmac.new(self._api_token.encode("utf-8", "replace"), kept.encode(), "sha256").hexdigest()

    def tokens(self) -> list[TokenRow]:
        """The live tokens of programs, oldest first."""
        return [row for row in self._tokens.values() if row.kind == "token" and self._is_live(row)]

    def make_token(
        self,
        name: str,
        role: Role,
        by: str,
        *,
        handler: str | None = None,
        agent: str | None = None,
        groups: Collection[str] | None = None,
        seconds: float | None = None,
    ) -> Made:
        """A token for a program. `seconds`: for which it is valid; None: until it is revoked."""
        bearer = Principal(name, role, handler, agent, None if groups is None else frozenset(groups))
        return self._make("token", bearer, by, None if seconds is None else self._clock() + seconds, None)

    def begin_session(self, bearer: Principal) -> Made:
        """A browser's session for somebody who has just proved who he is: by a token, a password, or his PIN."""
        parent = bearer.key or None
        if parent is None and bearer.agent is not None:
            parent = self._mark_of_pin(bearer.handler or "", bearer.agent)
        expires = min(self._clock() + SESSION_FOR, self.expires(bearer.key) or math.inf)
        made = self._make("session", bearer, bearer.name, expires, parent)
        self._make_room(made.row)
        return made

    def keep_session(self, key: str) -> None:
        """The session by which an agent has just changed his PIN goes on; all others of his have ended."""
        row = self._tokens.get(key)
        if row is not None and row.agent is not None and (row.parent or "").startswith(OF_PIN):
            mark = self._mark_of_pin(row.handler or "", row.agent)
            self._tokens[key] = TokenRow(**row.model_dump() | {"parent": mark})
            self._keep(self._tokens[key])

    def _make(self, kind: str, bearer: Principal, by: str, expires: float | None, parent: str | None) -> Made:
        self._forget_expired()
        id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        row = TokenRow(
            id=id,
            kind=kind,
            name=bearer.name,
            role=bearer.role.value,
            handler=bearer.handler,
            agent=bearer.agent,
            groups=None if bearer.groups is None else json.dumps(sorted(bearer.groups)),
            hash=_hash(secret),
            created=self._clock(),
            created_by=by,
            expires=expires,
            revoked=None,
            parent=parent,
        )
        self._tokens[id] = row
        self._keep(row)
        return Made(row, f"{PREFIX}_{id}_{secret}")

    def revoke(self, id: str) -> None:
        """From now on nobody comes in by it. Raises UnknownToken."""
        row = self._tokens.pop(id, None)
        if row is None:
            raise UnknownToken(f"There is no token {id!r}.")
        if row.kind == "session":
            of_one = self._sessions[_bearer(row)]
            of_one.remove(id)
            if not of_one:
                del self._sessions[_bearer(row)]
        self._keep(TokenRow(**row.model_dump() | {"revoked": self._clock()}))

    def _forget_expired(self) -> None:
        """Now and then: a log-in must not take longer for each session there is."""
        now = self._clock()
        if abs(now - self._swept) < SWEEP_EVERY:
            return
        self._swept = now
        for row in list(self._tokens.values()):
            if row.expires is not None and row.expires <= now:
                self.revoke(row.id)

    def _make_room(self, newest: TokenRow) -> None:
        of_one = self._sessions.setdefault(_bearer(newest), [])
        of_one.append(newest.id)
        while len(of_one) > MOST_OF_ONE:
            self.revoke(of_one[0])
        if sum(map(len, self._sessions.values())) > MOST_SESSIONS:
            self.revoke(next(row.id for row in self._tokens.values() if row.kind == "session"))

    # People -----------------------------------------------------------------------------------------------

    def accounts(self) -> list[AccountRow]:
        """By name."""
        return [self._accounts[name] for name in sorted(self._accounts)]

    def account(self, name: str) -> AccountRow:
        """Raises UnknownAccount."""
        try:
            return self._accounts[name]
        except KeyError:
            raise UnknownAccount(f"There is no account {name!r}.") from None

    def set_account(self, name: str, role: Role, groups: Collection[str] | None, hashed: str | None) -> bool:
        """Makes an account or changes it; True when it is new. `hashed`: of its password; None: the present one stays.

        Raises UnknownAccount for a new one without a password.
        """
        present = self._accounts.get(name)
        if present is None and hashed is None:
            raise UnknownAccount(f"There is no account {name!r}; a new one needs a password.")
        row = AccountRow(
            name=name,
            role=role.value,
            groups=None if groups is None else json.dumps(sorted(groups)),
            hash=hashed if hashed is not None else self.account(name).hash,
            changed=self._clock(),
            removed=False,
        )
        self._accounts[name] = row
        self._keep(row)
        if hashed is not None:
            self._attempts.succeeded(name)
            self._end_sessions(name)
        return present is None

    def remove_account(self, name: str) -> None:
        """Its sessions end. Raises UnknownAccount."""
        row = self.account(name)
        del self._accounts[name]
        self._keep(AccountRow(**row.model_dump() | {"removed": True, "changed": self._clock()}))
        self._end_sessions(name)

    def _end_sessions(self, name: str) -> None:
        for row in [row for row in self._tokens.values() if _is_of_account(row) and row.name == name]:
            self.revoke(row.id)

    async def log_in(self, name: str, password: str) -> Principal:
        """Whose password this is. Raises WrongPassword, also where there is no such account; TooManyAttempts."""
        wait = self._attempts.wait(name)
        if wait > 0:
            raise TooManyAttempts(wait)
        self._attempts.begin(name)
        row = self._accounts.get(name)
        fits = await pins.fits(password, row.hash if row is not None else pins.NOBODYS)
        if row is None or not fits or self._accounts.get(name) is not row:
            locked = self._attempts.wait(name) > 0
            log.warning("account %s: wrong password%s", name, f", locked for {LOCKED_FOR:.0f} s" if locked else "")
            raise WrongPassword()
        self._attempts.succeeded(name)
        return Principal(name, Role(row.role), groups=_groups(row.groups))


def _is_of_account(row: TokenRow) -> bool:
    """A session that was begun with a password."""
    return row.kind == "session" and row.parent is None and row.agent is None


def _bearer(row: TokenRow) -> tuple[str | None, ...]:
    """Whose session it is."""
    return (row.handler, row.agent) if row.agent is not None else (row.name, row.parent)


def groups_of(row: TokenRow | AccountRow) -> list[str] | None:
    """The groups that it reaches; None: all."""
    return None if row.groups is None else json.loads(row.groups)


def _groups(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(json.loads(text))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode("utf-8", "replace"))
