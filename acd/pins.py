"""PINs: kept as argon2id hashes, checked in a thread, locked for a while after too many wrong ones."""

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Mapping

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from acd.core.refusals import PinLocked, WrongPin

log = logging.getLogger(__name__)

MOST_WRONG = 5
LOCKED_FOR = 300.0  # seconds

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


async def hashed(pin: str) -> str:
    """The argon2id hash of a PIN (some 30 ms, in a thread)."""
    return await asyncio.to_thread(_hasher.hash, pin)


class PinGuard:
    """Checks PINs of one handler's agents, and locks an agent id after five wrong ones."""

    def __init__(
        self, hashes: dict[str, str], plain: Mapping[str, SecretStr], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`plain`: PINs of agents whom the settings name; they win over a stored hash."""
        self._hashes = hashes
        self._plain = plain
        self._clock = clock
        self._wrong: dict[str, list[float]] = {}
        self._locked: dict[str, float] = {}

    def keep(self, agent: str, pin_hash: str) -> None:
        """Remembers the hash of an agent's PIN."""
        self._hashes[agent] = pin_hash

    async def check(self, agent: str, pin: str) -> None:
        """Returns when the PIN fits. Raises WrongPin, or PinLocked after five wrong ones in five minutes."""
        self._refuse_locked(agent)
        # counted before the check, so that many at once do not get more tries than one after the other
        recent = [at for at in self._wrong.get(agent, ()) if at > self._clock() - LOCKED_FOR]
        self._wrong[agent] = [*recent, self._clock()]
        if len(self._wrong[agent]) >= MOST_WRONG:
            self._locked[agent] = self._clock() + LOCKED_FOR
        if not await asyncio.to_thread(self._fits, agent, pin):
            locked = len(self._wrong.get(agent, ())) >= MOST_WRONG
            log.warning("agent %s: wrong PIN%s", agent, f", locked for {LOCKED_FOR:.0f} s" if locked else "")
            raise WrongPin()
        self._wrong.pop(agent, None)
        self._locked.pop(agent, None)

    def _refuse_locked(self, agent: str) -> None:
        if self._locked.get(agent, 0.0) > self._clock():
            raise PinLocked()

    def _fits(self, agent: str, pin: str) -> bool:
        plain = self._plain.get(agent)
        if plain is not None:
            return hmac.compare_digest(plain.get_secret_value().encode(), pin.encode())
        try:
            return _hasher.verify(self._hashes.get(agent, ""), pin)
        except (VerificationError, InvalidHashError):
            return False
