"""Phones in agents' browsers: which there are at one Asterisk, what they log on with, and which agent has which."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, ClientWebSocketResponse

from acd.core import refusals as no
from acd.core.records import State
from acd.core.refusals import Refusal
from acd.settings import HandlerSettings, SettingsError, an_address

LENT_FOR = 60.0  # seconds for a browser to register; until then nobody else gets the phone
LINE = re.compile(r"(\S+)\s+(\S+)")
SIP = "sip"  # the WebSocket's subprotocol
LARGEST = 64 * 1024  # bytes of a SIP message, either way
CONNECT_WITHIN = 5.0  # seconds for Asterisk to take the connection
HEARTBEAT = 15.0  # seconds between two pings to either side

log = logging.getLogger(__name__)


class NoBrowserPhones(Refusal):
    """There are no phones for browsers at this Asterisk."""

    code = "no-browser-phones"
    hresult, lineerr = no.TAPI_E_RESOURCEUNAVAIL, no.LINEERR_RESOURCEUNAVAIL


class NoPhoneFree(Refusal):
    """Every phone for browsers is in use."""

    code = "no-phone-free"
    hresult, lineerr = no.TAPI_E_RESOURCEUNAVAIL, no.LINEERR_RESOURCEUNAVAIL


class PhonesUnreachable(Refusal):
    """Asterisk does not take phones of browsers at present."""

    code = "phones-unreachable"
    hresult, lineerr = no.TAPI_E_SERVICE_NOT_RUNNING, no.LINEERR_SERVICE_NOT_RUNNING


@dataclass(frozen=True, slots=True)
class SipAccount:
    """What a browser logs on to Asterisk with."""

    address: str  # PJSIP/1101
    uri: str
    username: str
    password: str = field(repr=False)


def read_accounts(text: str) -> dict[str, str]:
    """Address -> password, from lines of both. Raises ValueError naming the line that is none."""
    accounts: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = LINE.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"line {number}: must be an address and a password")
        try:
            accounts[an_address(found[1])] = found[2]
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    return accounts


class BrowserPhones:
    """The phones of one handler. `websocket`: where Asterisk takes them; "" where there are none."""

    def __init__(self, websocket: str, file: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.websocket = websocket
        self._file = file
        self._clock = clock
        self._lent: dict[str, tuple[str, float]] = {}  # address -> the agent who has it, since when

    async def lend(self, agent: str, state: State) -> SipAccount:
        """The phone of this agent: that of his log-in, that which he had, else a free one.

        Raises NoBrowserPhones, NoPhoneFree, PhonesUnreachable.
        """
        passwords = await self._passwords()
        address = self._address_for(agent, list(passwords), state)
        self._lent[address] = (agent, self._clock())
        number, host = address.partition("/")[2], re.sub(r":\d+$", "", urlsplit(self.websocket).netloc)
        return SipAccount(address, f"sip:{number}@{host}", number, passwords[address])

    def users(self, agent: str, state: State) -> frozenset[str]:
        """What Asterisk calls the phones that this agent has, and that nobody else is logged on at."""
        his = [address for address, (who, _) in self._lent.items() if who == agent]
        return frozenset(each.partition("/")[2] for each in his if self._at_work(each, state) in ("", agent))

    async def _passwords(self) -> Mapping[str, str]:
        """Read anew each time: Asterisk's container writes the file at each of its starts."""
        if not self.websocket or self._file is None:
            raise NoBrowserPhones()
        try:
            accounts = read_accounts(await asyncio.to_thread(self._file.read_text, encoding="utf-8"))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise PhonesUnreachable(f"The passwords of the browsers' phones cannot be read: {why}") from None
        if not accounts:
            raise NoBrowserPhones()
        return accounts

    def _address_for(self, agent: str, addresses: list[str], state: State) -> str:
        at_work = {each: self._at_work(each, state) for each in addresses}
        his = [each for each in addresses if at_work[each] == agent]
        kept = [each for each in addresses if not at_work[each] and self._lent.get(each, ("", 0))[0] == agent]
        free = [each for each in addresses if not at_work[each] and not self._taken(each, state)]
        found = his or kept or free
        if not found:
            raise NoPhoneFree()
        return found[0]

    def _at_work(self, address: str, state: State) -> str:
        """The agent who is logged on there, "" for none."""
        return next((state.sessions[key].agent for key in state.addresses.get(address, ())), "")

    def _taken(self, address: str, state: State) -> bool:
        """Somebody's browser is there, or is about to be."""
        since = self._lent.get(address, ("", -LENT_FOR))[1]
        return self._clock() - since < LENT_FOR or state.devices.get(address, False)


def browser_phones(name: str, settings: HandlerSettings) -> BrowserPhones:
    """As the settings have them. Raises SettingsError where half of it is missing."""
    if settings.sip_websocket and settings.browser_phones_file is None:
        raise SettingsError(f"handlers.{name}.browser_phones_file: is needed where sip_websocket is set")
    return BrowserPhones(settings.sip_websocket, settings.browser_phones_file)


def reason(error: BaseException | None) -> str:
    """Why Asterisk did not take a line."""
    return str(error) or "it does not answer"


@asynccontextmanager
async def connected(websocket: str) -> AsyncIterator[ClientWebSocketResponse]:
    """A line to Asterisk for the SIP of one browser. Raises PhonesUnreachable."""
    async with ClientSession(timeout=ClientTimeout(total=None, connect=CONNECT_WITHIN)) as client:
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                socket = await client.ws_connect(websocket, protocols=(SIP,), heartbeat=HEARTBEAT, max_msg_size=LARGEST)
        except (ClientError, OSError, TimeoutError, ValueError) as error:
            log.warning("Asterisk takes no phones of browsers at %s: %s", websocket, reason(error))
            raise PhonesUnreachable() from error  # where Asterisk is, nobody outside needs to know
        async with socket:
            yield socket
