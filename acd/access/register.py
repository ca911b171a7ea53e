"""Tokens of programs, sessions of browsers, accounts of people: kept as hashes, found in memory.

A token is `acd_<id>_<secret>`. Its secret is random, so a plain hash of it is enough; a person's password is not,
so it gets argon2id, as PINs do.
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Collection
from typing import NamedTuple

from sqlmodel import col

from acd import pins
from acd.access.attempts import Attempts
from acd.access.principals import Principal, Role
from acd.access.refusals import TooManyAttempts, UnknownAccount, UnknownToken, WrongPassword
from acd.store import Store
from acd.store.tables import AccountRow, TokenRow

PREFIX = "acd"
OF_SETTINGS = "settings"  # the id of the token that stands in the settings
SESSION_FOR = 12 * 3600.0  # seconds; a working day and the way home
MOST_WRONG, LOCKED_FOR = 5, 300.0  # passwords of one account; seconds
MOST_SESSIONS = 10_000


class Made(NamedTuple):
    """A new token: its row, and the secret text, which is told only now."""

    row: TokenRow
    text: str


class Register:
    """Everybody who may come in, apart from agents' PINs."""

    def __init__(self, store: Store, api_token: str, clock: Callable[[], float] = time.time) -> None:
        """`api_token`: the one of the settings, an administrator's."""
        self._store = store
        self._clock = clock
        self._api_token = api_token
        live = (col(TokenRow.revoked).is_(None),)
        self._tokens = {row.id: row for row in store.rows(TokenRow, *live, by=[col(TokenRow.created)])}
        self._accounts = {row.name: row for row in store.rows(AccountRow, col(AccountRow.removed).is_(False))}
        self._attempts = Attempts(MOST_WRONG, LOCKED_FOR)

    # Tokens and sessions ----------------------------------------------------------------------------------

    def find(self, text: str, kind: str = "token") -> Principal | None:
        """Whose token or session this is; None for one that is wrong, revoked or expired."""
        if kind == "token" and _same(text, self._api_token):
            return Principal("api-token", Role.ADMIN, key=OF_SETTINGS)
        prefix, _, rest = text.partition("_")
        id, _, secret = rest.partition("_")
        row = self._tokens.get(id)
        if prefix != PREFIX or row is None or row.kind != kind or not _same(_hash(secret), row.hash):
            return None
        return self._principal(row) if self._is_live(row) else None

    def is_live(self, key: str) -> bool:
        """The token or session of this id still lets its bearer in."""
        row = self._tokens.get(key)
        return key == OF_SETTINGS or (row is not None and self._is_live(row))

    def expires(self, key: str) -> float | None:
        """When the token or session of this id ends by itself; None: never."""
        row = self._tokens.get(key)
        return None if row is None else row.expires

    def _is_live(self, row: TokenRow) -> bool:
        if row.revoked is not None or (row.expires is not None and row.expires <= self._clock()):
            return False
        return row.parent is None or self.is_live(row.parent)

    def _principal(self, row: TokenRow) -> Principal:
        role, groups = Role(row.role), row.groups
        account = self._accounts.get(row.name) if row.kind == "session" and row.parent is None else None
        if account is not None:  # what he may do is looked up each time: it may have been changed since he came
            role, groups = Role(account.role), account.groups
        return Principal(row.name, role, row.handler, row.agent, _groups(groups), row.id)

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
        return self._make("token", bearer, by, seconds, None)

    def begin_session(self, bearer: Principal) -> Made:
        """A browser's session for somebody who has just proved who he is."""
        return self._make("session", bearer, bearer.name, SESSION_FOR, bearer.key or None)

    def _make(self, kind: str, bearer: Principal, by: str, seconds: float | None, parent: str | None) -> Made:
        self._forget_expired()
        id, secret, now = secrets.token_hex(8), secrets.token_urlsafe(32), self._clock()
        row = TokenRow(
            id=id,
            kind=kind,
            name=bearer.name,
            role=bearer.role.value,
            handler=bearer.handler,
            agent=bearer.agent,
            groups=None if bearer.groups is None else json.dumps(sorted(bearer.groups)),
            hash=_hash(secret),
            created=now,
            created_by=by,
            expires=None if seconds is None else now + seconds,
            revoked=None,
            parent=parent,
        )
        self._tokens[id] = row
        self._store.keep(row)
        return Made(row, f"{PREFIX}_{id}_{secret}")

    def revoke(self, id: str) -> None:
        """From now on nobody comes in by it. Raises UnknownToken."""
        row = self._tokens.pop(id, None)
        if row is None:
            raise UnknownToken(f"There is no token {id!r}.")
        self._store.keep(TokenRow(**row.model_dump() | {"revoked": self._clock()}))

    def _forget_expired(self) -> None:
        sessions = [row for row in self._tokens.values() if row.kind == "session"]
        gone = [row.id for row in sessions if not self._is_live(row)]
        for id in gone or [row.id for row in sessions[: -MOST_SESSIONS or None]]:
            self.revoke(id)

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

    async def set_account(self, name: str, role: Role, groups: Collection[str] | None, password: str | None) -> bool:
        """Makes an account or changes it; True when it is new. Without a password the present one stays.

        Raises UnknownAccount for a new one without a password.
        """
        present = self._accounts.get(name)
        if present is None and password is None:
            raise UnknownAccount(f"There is no account {name!r}; a new one needs a password.")
        hashed = await pins.hashed(password) if password is not None else self.account(name).hash
        row = AccountRow(
            name=name,
            role=role.value,
            groups=None if groups is None else json.dumps(sorted(groups)),
            hash=hashed,
            changed=self._clock(),
            removed=False,
        )
        self._accounts[name] = row
        self._store.keep(row)
        if password is not None and present is not None:
            self._end_sessions(name)
        return present is None

    def remove_account(self, name: str) -> None:
        """Its sessions end. Raises UnknownAccount."""
        row = self.account(name)
        del self._accounts[name]
        self._store.keep(AccountRow(**row.model_dump() | {"removed": True}))
        self._end_sessions(name)

    def _end_sessions(self, name: str) -> None:
        for row in [row for row in self._tokens.values() if row.kind == "session" and row.name == name]:
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
            raise WrongPassword()
        self._attempts.succeeded(name)
        return Principal(name, Role(row.role), groups=_groups(row.groups))


def groups_of(row: TokenRow | AccountRow) -> list[str] | None:
    """The groups that it reaches; None: all."""
    return None if row.groups is None else json.loads(row.groups)


def _groups(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(json.loads(text))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode("utf-8", "replace"))
