"""acd check: tells what an Asterisk lacks for the figures to be true, and what to write in which file to mend it.

It asks Asterisk and changes nothing, unless --probe allows it a member of its own for a moment. Of Asterisk's files
it reads the options named here and nothing else, and prints no value that could be a secret.
"""

import argparse
import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

from acd.asterisk import translate
from acd.asterisk.link import Link, LinkError, Login, Refused, Unsendable
from acd.asterisk.message import Message
from acd.browser_phones import PhonesUnreachable, connected, reason
from acd.serve import login_of
from acd.settings import HandlerSettings, Settings, SettingsError, plain_text

OK, HINT, WARN, FAIL = "ok", "hint", "warn", "FAIL"
DOCS = "docs/asterisk.md"
NOBODY = "Local/acd-check@acd-check"  # an interface that no site has
BOOT_TIMEOUT = 10.0  # seconds to wait for FullyBooted
PROBE_TIMEOUT = 5.0  # seconds to wait for an event that the probe causes


class Finding(NamedTuple):
    """`level` is ok (as it should be), hint (what nobody needs for true figures is not there), warn (works, with a
    loss) or FAIL (does not work, or gives wrong figures).
    """

    level: str
    what: str
    why: str = ""
    mend: str = ""

    def line(self, handler: str) -> str:
        """The finding as it is printed."""
        text = f"{self.level:<4} {handler}: {self.what}"
        text += f"; {self.why}" if self.why else ""
        return text + (f". Mend: {self.mend}" if self.mend else "")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `acd check`."""
    parser.add_argument("--listen", type=float, default=0.0, metavar="SECONDS", help="listen for test calls in a queue")
    parser.add_argument(
        "--probe",
        action="store_true",
        help="put a paused member that is no phone into a queue and take it out again, to see whether its events come "
        "and carry a time (leaves a few lines in queue_log)",
    )


async def run(settings: Settings, options: argparse.Namespace) -> int:
    """Prints one line a finding and a summary; returns 1 when something fails. Raises SettingsError."""
    levels = Counter[str]()
    log = logging.getLogger("acd")
    level_before = log.level
    log.setLevel(logging.CRITICAL)  # what the link would log, a finding says
    try:
        for name, handler in settings.handlers.items():
            async for finding in check(name, handler, options):
                levels[finding.level] += 1
                print(finding.line(name), flush=True)
    finally:
        log.setLevel(level_before)
    hints = f", {levels[HINT]} hints" * (levels[HINT] > 0)
    print(f"{levels[FAIL]} failed, {levels[WARN]} warnings, {levels[OK]} ok{hints}")
    return 1 if levels[FAIL] else 0


async def check(name: str, settings: HandlerSettings, options: argparse.Namespace) -> AsyncIterator[Finding]:
    """Everything there is to say about one Asterisk. Raises SettingsError when there is no secret."""
    ear = Ear()
    login = login_of(name, settings)
    async with _linked(name, login, ear) as link:
        if not link.linked:
            yield unreachable(link, settings.tls)
            return
        yield Finding(OK, f"logged in as {login.username} at {login.host}:{login.port}, and it has booted")
        try:
            site = await ask(link, settings)
            for each in CHECKS:
                for finding in each(site):
                    yield finding
            async for finding in browser_phones(settings):
                yield finding
            if options.probe:
                for finding in await probe(link, ear, site):
                    yield finding
            if options.listen > 0:
                print(LISTENING.format(handler=name, seconds=options.listen), flush=True)
                for finding in await listen(ear, options.listen):
                    yield finding
        except LinkError as error:
            yield Finding(FAIL, f"the check could not be finished: {error}")


# The link -------------------------------------------------------------------------------------------------


class Ear:
    """Hands each event on to whoever listens at the moment."""

    def __init__(self) -> None:
        self.take: Callable[[Message], None] | None = None
        self.lost = ""
        self._news = asyncio.Event()

    def hear(self, message: Message, _: float) -> None:
        if self.take is not None:
            self.take(message)
            self._news.set()

    def lose(self, reason: str) -> None:
        self.lost = reason
        self._news.set()

    async def until(self, true: Callable[[], object], seconds: float) -> None:
        """Waits until this is true, so many seconds at most. Raises LinkError when the link is lost."""
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    if self.lost:
                        raise LinkError(self.lost)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass  # the caller looks at what came


@asynccontextmanager
async def _linked(name: str, login: Login, ear: Ear) -> AsyncIterator[Link]:
    """A link after its first try to connect and log in, successful or not."""
    try:
        link = Link(
            login,
            wanted=translate.TRANSLATORS.keys(),
            on_message=ear.hear,
            on_login=_no_picture,
            on_loss=ear.lose,
            boot_timeout=BOOT_TIMEOUT,
        )
    except Unsendable as error:
        raise SettingsError(f"handlers.{name}: {error}") from None
    untried = link.problem
    running = asyncio.create_task(link.run())
    try:
        while not link.linked and link.problem == untried:  # noqa: ASYNC110 (a link announces its successes only)
            await asyncio.sleep(0.01)
        yield link
    finally:
        await link.close()
        await running


async def _no_picture(_: Link) -> None:
    pass


def unreachable(link: Link, tls: bool) -> Finding:
    """Why there is no link."""
    login = link.login
    if link.stats.logins_refused:
        what = f"{link.problem} (user {login.username})"
        mend = f"manager.conf [{login.username}]: secret as in the settings, permit for this computer's address"
        return Finding(FAIL, what, mend=f"{mend}, then `manager reload`")
    if "FullyBooted" in link.problem:
        what = "no FullyBooted event came after the log-in"
        why = "without class system acd does not know when Asterisk's answers can be believed, and never starts work"
        return Finding(FAIL, what, why, f"manager.conf [{login.username}]: read = {READ} (or Asterisk still starts)")
    mend = "manager.conf [general]: enabled = yes, bindaddr, port; a firewall between; host and port in the settings"
    if tls:
        mend += "; tlsenable = yes, and a certificate that is valid for this host name"
    return Finding(FAIL, f"Asterisk at {login.host}:{login.port} cannot be reached: {link.problem}", mend=mend)


# What Asterisk answers ------------------------------------------------------------------------------------


class Step(NamedTuple):
    """One priority of the dialplan."""

    context: str
    extension: str
    priority: int
    application: str
    data: str


@dataclass(frozen=True, slots=True)
class Site:
    """What one Asterisk answered; `options` is empty where it does not let its files be read."""

    settings: HandlerSettings
    username: str
    version: str
    clock_offset: float
    refused: Mapping[str, str]  # action -> Asterisk's words
    queues: list[str]
    members: list[Message]
    dialplan: list[Step]
    options: Mapping[tuple[str, str, str], str]  # file, section, option -> value, "" when it is not set

    @property
    def user(self) -> str:
        return f"manager.conf [{self.username}]"


READ = "system,call,agent,user"
WRITE = "agent,reporting"
WRITE_ALL = "call,agent,reporting,originate"  # with what supervisors can do
GENERAL = ("shared_lastcall", "autofill", "persistentmembers")
OF_A_QUEUE = ("wrapuptime", "joinempty", "leavewhenempty", "ringinuse", "autofill", "timeout", "retry")
READABLE = ("manager.conf", "general", "enabled")  # set wherever there is an AMI


async def ask(link: Link, settings: HandlerSettings) -> Site:
    """Asks for everything the checks look at. Raises LinkError."""
    refused: dict[str, str] = {}

    async def items(action: str, headers: Mapping[str, str] | None = None, timeout: float = 30.0) -> list[Message]:
        try:
            return await link.list_of(action, headers or {}, timeout)
        except Refused as error:
            refused[action] = error.text
            return []

    async def one(action: str, headers: Mapping[str, str] | None = None) -> Message | None:
        try:
            return await link.send(action, headers or {})
        except Refused as error:
            refused[action] = error.text
            return None

    core = await one("CoreSettings")
    await one("QueuePause", {"Interface": NOBODY, "Paused": "true"})
    for action in OPTIONAL:
        await one(action, {"Channel": ""})
    await items("CoreShowChannels")
    await items("DeviceStateList")
    status = await items("QueueStatus")
    queues = [m.get("Queue") or "" for m in status if m.event == "QueueParams"]
    return Site(
        settings,
        link.login.username,
        (core.get("AsteriskVersion") or "") if core else "",
        link.clock_offset,
        refused,
        queues,
        [m for m in status if m.event == "QueueMember"],
        [_step(m) for m in await items("ShowDialPlan") if (m.get("Priority") or "").isdigit()],
        await _options(link, queues),
    )


def _step(m: Message) -> Step:
    context, extension = m.get("Context") or "", m.get("Extension") or ""
    return Step(context, extension, int(m.get("Priority") or 0), m.get("Application") or "", m.get("AppData") or "")


async def _options(link: Link, queues: Iterable[str]) -> dict[tuple[str, str, str], str]:
    """The options that matter, read with the dialplan function AST_CONFIG() where it is loaded."""
    if not await _option(link, *READABLE):
        return {}
    first = [("manager.conf", "general", "timestampevents"), *(("queues.conf", "general", each) for each in GENERAL)]
    last = [("manager.conf", link.login.username, "read")]
    last += [("queues.conf", queue, each) for queue in queues for each in OF_A_QUEUE]
    options = {place: await _option(link, *place) for place in first}
    return options | {place: await _option(link, *place, index="-1") for place in last}


async def _option(link: Link, file: str, section: str, option: str, index: str = "0") -> str:
    """The value of an option, "" when it is not set. Repeated, the first counts in [general], else the last (-1)."""
    if re.search(r"[^\w @.+-]", section):
        return ""
    try:
        answer = await link.send("Getvar", {"Variable": f"AST_CONFIG({file},{section},{option},{index})"})
    except Refused:
        return ""
    return answer.get("Value") or ""


# The checks: each looks at one thing ----------------------------------------------------------------------


def version(site: Site) -> Iterator[Finding]:
    number = re.search(r"(\d+)[.-]", site.version)
    if number is None:
        yield Finding(WARN, f"the version of this Asterisk is not known ({site.version or 'CoreSettings refused'})")
    elif int(number[1]) < 22:
        yield Finding(FAIL, f"this is Asterisk {site.version}", "acd is made for 22 and later", "a newer Asterisk")
    else:
        yield Finding(OK, f"this is Asterisk {site.version}")


NEEDED = {  # action -> write class, module, what is lost without it
    "QueueStatus": ("", "app_queue.so", "there are no queues without it"),
    "CoreShowChannels": ("reporting", "", "after each log-in acd must know the calls; it never starts work"),
    "DeviceStateList": ("reporting", "res_manager_devicestate.so", "nobody knows which phones are in service"),
    "QueuePause": ("agent", "app_queue.so", "agents can neither log on nor pause"),
}


def rights(site: Site) -> Iterator[Finding]:
    """What acd asks of Asterisk is allowed and loaded."""
    may = []
    for action, (write, module, why) in NEEDED.items():
        words = site.refused.get(action, "")
        if words in ("", "Interface not found"):  # that nobody has this interface proves the right to pause it
            may.append(action)
        elif words == "Permission denied":
            what = f"the AMI user {site.username} may not use {action} (class {write} is missing in write)"
            yield Finding(FAIL, what, why, f"{site.user}: write = {WRITE}, then `manager reload`")
        elif "unknown command" in words and module:
            level = WARN if action == "DeviceStateList" else FAIL
            yield Finding(level, f"Asterisk has no action {action}", why, f"modules.conf: load = {module}")
        else:
            yield Finding(FAIL, f"Asterisk refuses {action}: {words}", why)
    if may:
        yield Finding(OK, f"Asterisk answers {', '.join(may)}")


OPTIONAL = {  # action -> write class, what cannot be done without it; none of them does anything without a channel
    "Originate": ("originate", "supervisors cannot listen, whisper and barge in"),
    "Hangup": ("call", "supervisors can neither hang up callers nor send them to another queue"),
}
QUEUE_CONTEXT = "acd-queue"


def supervising(site: Site) -> Iterator[Finding]:
    """What supervisors' commands need: a site may well do without."""
    lacks = False
    for action, (write, why) in OPTIONAL.items():
        if site.refused.get(action) == "Permission denied":
            lacks = True
            what = f"the AMI user {site.username} may not use {action} (class {write} is missing in write)"
            yield Finding(HINT, what, why, f"{site.user}: write = {WRITE_ALL}; what it means: {DOCS}#supervisors")
    if site.dialplan and not any(step.context == QUEUE_CONTEXT for step in site.dialplan):
        lacks = True
        why = "supervisors cannot send waiting callers to another queue"
        yield Finding(
            HINT, f"the dialplan has no context {QUEUE_CONTEXT}", why, f"extensions.conf: that of {DOCS}#supervisors"
        )
    if not lacks:
        yield Finding(OK, "acd may do what supervisors ask for")


def reading(site: Site) -> Iterator[Finding]:
    """What can be told of the AMI user without seeing an event; else --probe and --listen tell."""
    if not site.options:
        return
    yield Finding(
        WARN,
        f"the AMI user {site.username} can read every file of Asterisk, passwords too, by the function AST_CONFIG()",
        "acd needs this for its check only",
        "modules.conf: noload = func_config.so, unless your dialplan uses it",
    )
    yield _timestamps(_yes(site.options["manager.conf", "general", "timestampevents"], default=False), "manager.conf")
    classes = {each.strip() for each in site.options["manager.conf", site.username, "read"].split(",")}
    missing = [each for each in READ.split(",") if each not in classes]
    if not classes & {"", "all"} and missing and not ("dialplan" in classes and missing == ["user"]):
        what = f"the AMI user lacks class {', '.join(missing)} in read"
        why = "acd does not hear " + ", ".join(CLASSES[each] for each in missing)
        yield Finding(FAIL, what, why, f"{site.user}: read = {READ}")


CLASSES = {"system": "that it started", "call": "of calls", "agent": "of queues", "user": "why a caller left a queue"}


def _timestamps(stamped: bool, seen_by: str) -> Finding:
    if stamped:
        return Finding(OK, f"{seen_by}: events carry Asterisk's own time")
    why = "acd takes the time of their arrival instead, and figures are wrong by every delay"
    mend = "manager.conf [general]: timestampevents = yes, then `manager reload`"
    return Finding(FAIL, f"{seen_by}: events carry no time", why, mend)


def clocks(site: Site) -> Iterator[Finding]:
    if abs(site.clock_offset) > 2:
        what = f"Asterisk's clock is {site.clock_offset:+.0f} s off this computer's"
        why = "acd goes by Asterisk's, so its times of day look wrong here"
        yield Finding(WARN, what, why, "NTP on both computers")
    else:
        yield Finding(OK, "the clocks agree")


def queues(site: Site) -> Iterator[Finding]:
    """The queues that the settings name exist."""
    if not site.queues:
        mend = "queues.conf: a section for each queue, then `queue reload all`"
        yield Finding(FAIL, "Asterisk has no queue", mend=mend)
        return
    yield Finding(OK, f"Asterisk has {_some(site.queues)}")
    named = {queue: f"queues.{queue}" for queue in site.settings.queues}
    for group, its in site.settings.groups.items():
        named |= dict.fromkeys(its.queues, f"groups.{group}")
    for queue, place in named.items():
        if queue not in site.queues:
            near = get_close_matches(queue.lower(), site.queues, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            mend = f"{hint}Settings: its name as in queues.conf, or queues.conf: [{queue}], then `queue reload all`"
            what = f"{place} names queue {queue!r}, which Asterisk does not have"
            yield Finding(FAIL, what, "log-ons to it are refused", mend)


def queue_options(site: Site) -> Iterator[Finding]:
    """queues.conf, as far as Asterisk lets it be read."""
    if not site.options:
        yield Finding(
            WARN,
            "the options in queues.conf cannot be read through AMI (AST_CONFIG() is not loaded, or not allowed)",
            "whether they suit acd is not known",
            f"compare them with {DOCS}#queues; or `module load func_config.so` for the time of this check",
        )
        return
    general = {each: site.options["queues.conf", "general", each] for each in GENERAL}
    yield from _general(general, len(site.queues))
    for queue in site.queues:
        own = {each: site.options["queues.conf", queue, each] for each in OF_A_QUEUE}
        if not any(own.values()):
            what = f"queues.conf sets nothing for queue {queue} (a realtime queue?)"
            yield Finding(WARN, what, mend=f"{DOCS}#queues")
            continue
        own["autofill"] = own["autofill"] or general["autofill"]
        wrong = list(_own(queue, own, _wrap_up(site.settings, queue)))
        yield from wrong or [Finding(OK, f"queue {queue}: its options in queues.conf suit acd")]


def _general(options: Mapping[str, str], queues: int) -> Iterator[Finding]:
    if queues > 1 and not _yes(options["shared_lastcall"], default=False):
        why = "an agent of two queues is rung by the other one when acd lags at the end of a call"
        yield Finding(WARN, "shared_lastcall is not on", why, "queues.conf [general]: shared_lastcall = yes")
    if not _yes(options["persistentmembers"], default=False):
        why = "after a restart of Asterisk the queues are empty until acd is back"
        yield Finding(WARN, "persistentmembers is not on", why, "queues.conf [general]: persistentmembers = yes")


def _own(queue: str, options: Mapping[str, str], wrap_up: float) -> Iterator[Finding]:
    native = _number(options["wrapuptime"], 0)
    if native == 0 and wrap_up > 0:
        why = "when acd lags or is away, an agent in wrap-up gets the next call"
        yield _option_finding(WARN, queue, "wrapuptime", options["wrapuptime"], why, better="2")
    elif native > wrap_up:
        why = f"acd says READY after {wrap_up:g} s, and no call comes before Asterisk's own wrap-up is over"
        yield _option_finding(
            WARN, queue, "wrapuptime", options["wrapuptime"], why, better="2, and the wrap-up time in acd"
        )
    for option, empty in (("joinempty", ("no", "false", "n", "f", "0", "off")), ("leavewhenempty", YES)):
        words = {word.strip().lower() for word in options[option].split(",")}
        if words & ({"strict", "paused", "inuse", "ringing", "wrapup"} | set(empty)):
            why = "agents in a call or in wrap-up are paused, so callers are turned away while all agents talk"
            yield _option_finding(FAIL, queue, option, options[option], why, better="unavailable,invalid,unknown")
    if _yes(options["ringinuse"], default=True):
        why = "an agent who is on a call outside the queue is rung"
        yield _option_finding(WARN, queue, "ringinuse", options["ringinuse"], why, better="no")
    if not _yes(options["autofill"], default=False):
        yield _option_finding(
            WARN, queue, "autofill", options["autofill"], "callers are offered to agents one at a time", better="yes"
        )
    if options["timeout"] and _number(options["timeout"], 15) == 0:
        why = "a phone that nobody answers rings for ever"
        yield _option_finding(WARN, queue, "timeout", options["timeout"], why, better="12")
    if _number(options["retry"], 5) > 2:
        yield _option_finding(
            WARN, queue, "retry", options["retry"], "so long no agent is tried after an unanswered call", better="1"
        )


def _option_finding(level: str, queue: str, option: str, found: str, why: str, *, better: str) -> Finding:
    what = f"queue {queue}: {option} is {found or 'not set'}"
    return Finding(level, what, why, f"queues.conf [{queue}]: {option} = {better}")


def _wrap_up(settings: HandlerSettings, queue: str) -> float:
    own = settings.queues[queue].wrap_up if queue in settings.queues else None
    return settings.wrap_up if own is None else own


YES = ("yes", "true", "y", "t", "1", "on")


def _yes(value: str, *, default: bool) -> bool:
    return value.lower() in YES if value else default


def _number(value: str, default: float) -> float:
    try:
        return float(value or default)
    except ValueError:
        return default


def members(site: Site) -> Iterator[Finding]:
    """Members that acd did not make, as far as they are in its way."""
    static = [_member(m) for m in site.members if m.get("Membership") == "static"]
    local = [_member(m) for m in site.members if (m.get("Location") or "").startswith("Local/")]
    unclean = [_member(m) for m in site.members if not _is_clean(m.get("Name") or "")]
    if static:
        why = "acd can pause but not remove them, and they take calls while no agent is logged on there"
        yield Finding(WARN, f"static members: {_some(static)}", why, "queues.conf: no member lines")
    if local:
        why = "their talk may end too early in the figures, and calls outside the queues are not seen"
        yield Finding(WARN, f"Local members: {_some(local)}", why, "the phone itself (PJSIP/...) as member")
    if unclean:
        why = "persistentmembers and queue_log break at , | ; and at 80 bytes"
        yield Finding(WARN, f"names that Asterisk cannot store: {_some(unclean)}", why, "other names")
    if not static and not local and not unclean:
        yield Finding(OK, f"members of queues: {len(site.members)}, none in acd's way")


def _member(m: Message) -> str:
    location = m.get("Location") or ""
    blind = location.startswith("Local/") and m.get("StateInterface") in (None, "", location)
    return f"{location} ({m.get('Name')!r} in {m.get('Queue')}{', no StateInterface: never seen in use' * blind})"


def _is_clean(name: str) -> bool:
    try:
        return plain_text(name) == name
    except ValueError:
        return False


def _some(things: list[str]) -> str:
    return ", ".join(things[:5]) + (f" and {len(things) - 5} more" if len(things) > 5 else "")


def dialplan(site: Site) -> Iterator[Finding]:
    """Whether QUEUESTATUS is reported after each Queue()."""
    calls = [step for step in site.dialplan if step.application == "Queue"]
    silent = [f"{s.extension}@{s.context} priority {s.priority}" for s in calls if not _is_told(s, site.dialplan)]
    if silent:
        yield Finding(
            WARN,
            f"no UserEvent with QUEUESTATUS after Queue() in {_some(silent)}",
            "without it callers who leave without an agent are booked as unknown or redirected, not as timed out",
            f"extensions.conf: the UserEvent line of {DOCS}#dialplan right after Queue()",
        )
    elif calls:
        yield Finding(OK, f"the dialplan reports QUEUESTATUS after each Queue() ({len(calls)} found)")
    else:
        what = "no Queue() is found in the dialplan, so it is not known whether it reports QUEUESTATUS"
        yield Finding(WARN, what, mend="--listen with a call that leaves its queue by time tells")


def _is_told(queue: Step, dialplan: list[Step]) -> bool:
    return any(
        (step.context, step.extension) == (queue.context, queue.extension)
        and step.priority > queue.priority
        and step.application == "UserEvent"
        and "${QUEUESTATUS}" in step.data
        for step in dialplan
    )


CHECKS: tuple[Callable[[Site], Iterator[Finding]], ...] = (
    version,
    rights,
    supervising,
    reading,
    clocks,
    queues,
    queue_options,
    members,
    dialplan,
)


async def browser_phones(settings: HandlerSettings) -> AsyncIterator[Finding]:
    """Whether Asterisk takes phones of browsers, where the settings say so."""
    if not settings.sip_websocket:
        return
    try:
        async with connected(settings.sip_websocket):
            yield Finding(OK, f"phones of browsers are taken at {settings.sip_websocket}")
    except PhonesUnreachable as error:
        mend = f"{DOCS}#phones-in-browsers: http.conf, res_http_websocket.so, res_pjsip_transport_websocket.so"
        what = f"no phones of browsers are taken at {settings.sip_websocket}: {reason(error.__cause__)}"
        yield Finding(HINT, what, "agents can use desk phones only", mend)


# --probe --------------------------------------------------------------------------------------------------

PROBED = ("QueueMemberAdded", "QueueMemberPause", "QueueMemberRemoved")


async def probe(link: Link, ear: Ear, site: Site) -> list[Finding]:
    """Puts a paused member that is no phone into a queue and out again, and looks which events come."""
    if not site.queues:
        return []
    heard: dict[str, Message] = {}
    ear.take = lambda message: _note(message, heard)
    queue = site.queues[0]
    try:
        await _come_and_go(link, queue)
        await ear.until(lambda: heard.keys() >= {*PROBED, "DeviceStateChange"}, PROBE_TIMEOUT)
    except Refused as error:
        what = f"probe: a member cannot be moved in queue {queue}: {error.text}"
        return [Finding(FAIL, what, mend=f"{site.user}: write = {WRITE}")]
    finally:
        ear.take = None
    return list(_probed(heard, site))


def _note(message: Message, heard: dict[str, Message]) -> None:
    if message.get("Interface") == NOBODY or message.event == "DeviceStateChange":
        heard.setdefault(message.event, message)


async def _come_and_go(link: Link, queue: str) -> None:
    where = {"Queue": queue, "Interface": NOBODY}
    try:
        await link.send("QueueAdd", where | {"MemberName": "acd check", "Paused": "true", "Reason": "acd check"})
    except Refused as error:
        if "Already there" not in error.text:
            raise
    try:
        await link.send("QueuePause", where | {"Paused": "true", "Reason": "acd check"})
    finally:
        await link.send("QueueRemove", where)


def _probed(heard: Mapping[str, Message], site: Site) -> Iterator[Finding]:
    missing = [name for name in PROBED if name not in heard]
    if missing:
        yield _not_arrived("probe", "agent", missing, "what acd orders is never confirmed")
    else:
        yield Finding(OK, "probe: members' events arrive")
    if "DeviceStateChange" not in heard:
        why = "acd does not hear when a phone goes out of service"
        mend = f"{site.user}: read = {READ}; the event filter; modules.conf: load = res_manager_devicestate.so"
        yield Finding(WARN, "probe: DeviceStateChange did not arrive", why, mend)
    if heard:
        yield _timestamps(all(message.get("Timestamp") for message in heard.values()), "probe")


def _not_arrived(by: str, of_class: str, names: list[str], why: str) -> Finding:
    """`of_class`: the read class these events belong to."""
    mend = (
        f"manager.conf: class {of_class} in read; if it has a filter, eventfilter(action(include),name({names[0]})) ="
    )
    return Finding(FAIL, f"{by}: did not arrive: {', '.join(names)}", why, mend + " and the like")


# --listen -------------------------------------------------------------------------------------------------

LISTENING = (
    "     {handler}: listening for {seconds:g} s. Now call a queue, let an agent answer, and hang up; "
    "then call again and wait until the queue's time is over"
)
OF_A_CALL = {  # class -> the events of a queue call that was answered and ended
    "agent": (
        "QueueCallerJoin",
        "QueueCallerLeave",
        "AgentCalled",
        "AgentConnect",
        "QueueMemberStatus",
    ),
    "call": (
        "Newchannel",
        "DialBegin",
        "DialEnd",
        "BridgeEnter",
        "HangupRequest",
        "Hangup",
    ),
}
OF_A_LEG = {  # event -> the header that names the agent's leg
    "Newchannel": "Uniqueid",
    "DialBegin": "DestUniqueid",
    "BridgeEnter": "Uniqueid",
    "Hangup": "Uniqueid",
}


async def listen(ear: Ear, seconds: float) -> list[Finding]:
    """Hears test calls and tells which events came and which did not."""
    heard = Heard()
    ear.take = heard.take
    try:
        await ear.until(heard.everything, seconds)
    finally:
        ear.take = None
    return list(heard.findings())


class Heard:
    """What came of the test calls."""

    def __init__(self) -> None:
        self.names = Counter[str]()
        self.unstamped = 0
        self.strange = ""  # a message that cannot be understood
        self._of_legs: set[tuple[str, str]] = set()  # event, Uniqueid
        self._agents: dict[str, str] = {}  # the agent's leg -> his phone
        self._hung_up: set[str] = set()
        self._left: set[str] = set()  # callers who left a queue without an agent
        self._told: set[str] = set()  # callers of whom QUEUESTATUS was told

    def take(self, message: Message) -> None:
        name, channel = message.event, message.get("Uniqueid") or ""
        self.names[name] += 1
        self.unstamped += not message.get("Timestamp")
        if name in OF_A_LEG:
            self._of_legs.add((name, message.get(OF_A_LEG[name]) or ""))
        match name:
            case "AgentConnect":
                self._agents[message.get("DestUniqueid") or ""] = message.get("Interface") or ""
            case "HangupRequest":
                self._hung_up.add(channel)
            case "QueueCallerAbandon":
                self._left.add(channel)
            case "UserEvent" | "VarSet" if self._means_something(message):
                self._told.add(channel)
            case _:
                self._means_something(message)

    def _means_something(self, message: Message) -> bool:
        try:
            return translate.to_event(message, 0.0) is not None
        except translate.Malformed as error:
            self.strange = str(error)
            return False

    @property
    def exits(self) -> set[str]:
        """Callers who left without an agent and did not hang up."""
        return (self._left - self._hung_up) | self._told

    def missing(self) -> dict[str, list[str]]:
        """Class -> its events that did not come."""
        lacks = {each: [name for name in names if not self.names[name]] for each, names in OF_A_CALL.items()}
        return {each: names for each, names in lacks.items() if names}

    def everything(self) -> bool:
        ended = all(("Hangup", leg) in self._of_legs for leg in self._agents)
        return not self.missing() and ended and bool(self._told)

    def findings(self) -> Iterator[Finding]:
        if not any(self.names[name] for names in OF_A_CALL.values() for name in names):
            mend = f"call a queue while it listens; else manager.conf: read = {READ}, and the event filter"
            yield Finding(FAIL, "listen: no event of a call came", mend=mend)
            return
        for of_class, names in self.missing().items():
            why = "acd counts by these; or the test call was not answered, or has not ended"
            yield _not_arrived("listen", of_class, names, why)
        if not self.missing():
            yield Finding(OK, "listen: every event of a queue call arrived")
        yield from self._phones()
        yield self._exits()
        yield _timestamps(not self.unstamped, "listen")
        if self.strange:
            yield Finding(FAIL, f"listen: an event cannot be understood: {self.strange}")

    def _phones(self) -> Iterator[Finding]:
        """The agents' own legs: with these acd ends a call, and sees calls outside the queues."""
        for leg, phone in self._agents.items():
            unseen = [name for name in OF_A_LEG if self.names[name] and (name, leg) not in self._of_legs]
            if unseen:
                why = "talk and wrap-up follow from the agent's own leg"
                what = f"listen: of the leg of {phone} did not come: {', '.join(unseen)}"
                yield Finding(FAIL, what, why, "the phone itself (PJSIP/...) as member; or the call has not ended")
            elif "call" not in self.missing():
                yield Finding(OK, f"listen: the leg of {phone} was seen from ringing to its end")

    def _exits(self) -> Finding:
        if not self.exits:
            what = "listen: no caller left a queue without an agent, so it is not known whether the dialplan says why"
            return Finding(WARN, what, mend="listen again, with a call that waits until the queue's time is over")
        if self.exits - self._told:
            why = "callers who leave without an agent are booked as unknown or redirected, not as timed out"
            mend = f"{DOCS}#dialplan: the UserEvent line, class user in read, and the event filter"
            return Finding(WARN, "listen: a caller left a queue and QUEUESTATUS was not told", why, mend)
        return Finding(OK, "listen: why a caller left a queue without an agent was told")
