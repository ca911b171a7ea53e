"""PINs and passwords: kept as argon2id hashes, checked in a thread, locked for a while after too many wrong ones."""

import asyncio
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Mapping

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from acd.access.attempts import Attempts
from acd.core.refusals import PinLocked, WrongPin

log = logging.getLogger(__name__)

MOST_WRONG = 5
LOCKED_FOR = 300.0  # seconds

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
NOBODYS = _hasher.hash(secrets.token_hex())  # compared with where there is nobody, so that the answer takes as long


async def hashed(secret: str) -> str:
    """The argon2id hash of a PIN or password (some 30 ms, in a thread)."""
    return await asyncio.to_thread(_hasher.hash, secret)


async def fits(secret: str, hash: str) -> bool:
    """Whether the hash is that of this PIN or password."""
    return await asyncio.to_thread(_fits, secret, hash)


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
        """Remembers the hash of an agent's PIN."""
        self._hashes[agent] = pin_hash

    async def check(self, agent: str, pin: str) -> None:
        """Returns when the PIN fits. Raises WrongPin, or PinLocked after five wrong ones in five minutes."""
        if self._attempts.wait(agent) > 0:
            raise PinLocked()
        self._attempts.begin(agent)
        if not await self._fits(agent, pin):
            locked = self._attempts.wait(agent) > 0
            log.warning("agent %s: wrong PIN%s", agent, f", locked for {LOCKED_FOR:.0f} s" if locked else "")
            raise WrongPin()
        self._attempts.succeeded(agent)

    async def _fits(self, agent: str, pin: str) -> bool:
        plain = self._plain.get(agent)
        if plain is not None:
            return hmac.compare_digest(plain.get_secret_value().encode(), pin.encode())
        return await fits(pin, self._hashes.get(agent, NOBODYS))
