"""PINs and passwords: kept as argon2id hashes, checked in a thread, locked for a while after too many wrong ones."""

import asyncio
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from acd.access.attempts import Attempts
from acd.core.refusals import PinLocked, WrongPin

log = logging.getLogger(__name__)

MOST_WRONG = 5
LOCKED_FOR = 300.0  # seconds

Result = TypeVar("Result")
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# One at a time, in a thread of its own: strangers who try passwords must not take the threads that others need.
_thread = ThreadPoolExecutor(1, "argon2")
NOBODYS = _hasher.hash(secrets.token_hex())  # compared with where there is nobody, so that the answer takes as long


async def hashed(secret: str) -> str:
    """The argon2id hash of a PIN or password (some 30 ms, in a thread)."""
    return await _aside(_hasher.hash, secret)


async def fits(secret: str, hash: str) -> bool:
    """Whether the hash is that of this PIN or password."""
    return await _aside(_fits, secret, hash)


async def _aside(work: Callable[..., Result], *given: str) -> Result:
    return await asyncio.get_running_loop().run_in_executor(_thread, work, *given)


def _fits(secret: str, hash: str) -> bool:
    try:
        return _hasher.verify(hash, secret)
    except (VerificationError, InvalidHashError):
        return False


class PinGuard:
    """Checks PINs of one handler's agents, and locks an agent id after five wrong ones."""

    def __init__(
        self, hashes: dict[str, str], plain: Mapping[str, SecretStr], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`plain`: PINs of agents whom the settings name; they win over a stored hash."""
        self._hashes = hashes
        self._plain = plain
        self._attempts = Attempts(MOST_WRONG, LOCKED_FOR, clock)

    def keep(self, agent: str, pin_hash: str) -> None:
        """Remembers the hash of an agent's PIN. Wrong ones of before are forgotten."""
        self._hashes[agent] = pin_hash
        self._attempts.succeeded(agent)

    def renew(self, hashes: dict[str, str]) -> None:
        """All hashes that there are now."""
        self._hashes = hashes

    def kept(self, agent: str) -> str:
        """What is kept of an agent's PIN: another text for every other PIN, "" for none."""
        plain = self._plain.get(agent)
        return self._hashes.get(agent, "") if plain is None else plain.get_secret_value()

    def is_of_settings(self, agent: str) -> bool:
        """His PIN stands in the settings, so that no other can be kept."""
        return agent in self._plain

    async def check(self, agent: str, pin: str) -> None:
        """Returns when the PIN fits. Raises WrongPin, or PinLocked after five wrong ones in five minutes."""
        if self._attempts.wait(agent) > 0:
            raise PinLocked()
        self._attempts.begin(agent)
        kept = self.kept(agent)
        if not await self._fits(agent, pin) or self.kept(agent) != kept:  # changed meanwhile: it was the old one
            locked = self._attempts.wait(agent) > 0
            log.warning("agent %s: wrong PIN%s", agent, f", locked for {LOCKED_FOR:.0f} s" if locked else "")
            raise WrongPin()
        self._attempts.succeeded(agent)

    async def _fits(self, agent: str, pin: str) -> bool:
        plain = self._plain.get(agent)
        # also where the PIN is known as such, so that the time it takes does not tell whose PINs are
        hash_fits = await fits(pin, NOBODYS if plain is not None else self._hashes.get(agent, NOBODYS))
        return hash_fits if plain is None else hmac.compare_digest(plain.get_secret_value().encode(), pin.encode())
