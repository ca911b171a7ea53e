"""acd audit: the command line, the files and the database behind it."""

import argparse
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from acd import agent_cli
from acd.asterisk.log_files import LogFile
from acd.asterisk.queue_log import Line, parse
from acd.audit.audit import Audit
from acd.audit.evidence import Evidence, Past, gather
from acd.audit.ledger import Ledger
from acd.audit.live import Live, Periods
from acd.audit.pairs import paired
from acd.audit.recompute import HORIZON, Logged, Recompute
from acd.audit.report import Read, Report, as_json, as_text, moment
from acd.audit.sums import Sums
from acd.settings import HandlerSettings, Settings

SETTLES = 3.0  # seconds in which acd makes up its mind about a caller who left without a word
SAMPLES = 3  # of malformed lines
EPILOG = """\
Times: ISO 8601 (without a zone it is this machine's), or seconds since 1970. --from: default is when acd first
listened, or the first visit in its ledger. --to: default is until when acd has heard Asterisk (less three seconds in
which it makes up its mind); a later one is taken back to that.
A visit counts for the period when it began in it and was over in it, its wrap-up included, by queue_log's times; the
others are left out on both sides, and counted. Exit status: 0 when every difference is explained, 1 when one is not,
2 when the audit cannot be done."""


class CannotAudit(Exception):
    """The audit cannot be done; the message says why."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `acd audit`."""
    parser.epilog = EPILOG
    parser.add_argument("--handler", default="main", help="the Asterisk server, main by default")
    parser.add_argument("--from", dest="start", type=a_time, metavar="TIME", help="visits that began then or later")
    parser.add_argument("--to", dest="end", type=a_time, metavar="TIME", help="and that were over then")
    parser.add_argument("--queue-log", type=Path, metavar="PATH", help="default: the setting queue_log")
    parser.add_argument("--api", metavar="URL", help="compare the figures of the acd that runs there, too")
    parser.add_argument("--json", action="store_true", help="the same for programs")


def a_time(text: str) -> float:
    """ISO 8601 or seconds since 1970. Raises ValueError."""
    try:
        at = float(text)
    except ValueError:
        at = datetime.fromisoformat(text).timestamp()
    try:
        moment(at)
    except OverflowError:
        raise ValueError(f"{text} is no time") from None
    return at


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Prints the audit; returns the exit status."""
    try:
        report = _audit(settings, options)
    except CannotAudit as error:
        print(f"acd: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(as_json(report))
    else:
        for line in as_text(report):
            print(line)
    return report.status


def _audit(settings: Settings, options: argparse.Namespace) -> Report:
    handler = settings.handlers.get(options.handler)
    if handler is None:
        raise CannotAudit(f"there is no handler {options.handler!r} in the settings")
    path = options.queue_log or handler.queue_log
    if path is None:
        raise CannotAudit("the setting queue_log does not say where queue_log is, and --queue-log is not given")
    answer = _ask_api(options.api, options.handler) if options.api else None
    try:
        with Ledger(settings.store.url.get_secret_value(), options.handler) as ledger:
            return _Run(ledger, handler, options, path, answer).report()
    except (SQLAlchemyError, ImportError) as error:
        why = " ".join(str(getattr(error, "orig", error)).split())  # some drivers say it in several lines
        raise CannotAudit(f"acd's database cannot be read: {why}") from None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the API said, and when."""

    asked: float
    queues: list[Any]
    agents: list[Any]


def _ask_api(url: str, handler: str) -> _Answer:
    call = agent_cli.api(url, handler)
    try:
        queues, agents = call("GET", "queues")["items"], call("GET", "agents")["items"]
        return _Answer(time.time(), queues, agents)
    except agent_cli.FAILURES as error:
        raise CannotAudit(agent_cli.why(url, error)) from None


class _Run:
    """One audit, step by step."""

    def __init__(
        self, ledger: Ledger, handler: HandlerSettings, options: argparse.Namespace, path: Path, answer: _Answer | None
    ) -> None:
        self._ledger = ledger
        self._handler = handler
        self._options = options
        self._notes: list[str] = []
        self._read = Read(str(path))
        self._log = LogFile(path)
        self._older = False  # is there more of the log than was read?
        self._answer = answer

    def report(self) -> Report:
        start, end = self._period()
        users = self._ledger.users()
        past = Past(self._ledger.events(Past.KINDS), users)
        evidence = Evidence(
            users=users,
            first_heard=self._ledger.first_heard(),
            away=past.away,
            name_of=past.name_of,
            reads_log=self._handler.queue_log is not None,
        )
        live = self._live()
        audit = Audit(start, end, evidence, Sums(evidence.users))
        earliest = min(start, live.start if live is not None else start) - HORIZON
        until = max(end, live.asked if live is not None else end) + HORIZON
        recompute = Recompute(past.name_of)
        logged = self._logged(recompute, earliest, until)
        pairs = paired(logged, self._ledger.rows(earliest, until))
        audit.take(pairs, live.add if live is not None else lambda pair, differs: None)
        if self._read.lines == 0:
            raise CannotAudit(f"{self._read.path}: holds no line")
        evidence.log_from = None if self._older else self._read.first
        doubtful = [(each.visit, each.row) for each in audit.suspects] + (live.doubtful if live is not None else [])
        gather(self._ledger, evidence, doubtful)
        audit.explain()
        if live is not None:
            live.settle(evidence)
        return Report(self._options.handler, audit, self._read, recompute.strays, self._notes, live)

    def _period(self) -> tuple[float, float]:
        heard = self._ledger.heard_until()
        if heard is None:
            raise CannotAudit(f"acd has not heard the Asterisk {self._options.handler!r} yet, its database is empty")
        latest = float(int(heard - SETTLES))
        # not the first row alone: it may be the one that is missing
        first = min(filter(None, (self._ledger.first_heard(), self._ledger.first_entry())), default=heard)
        start = self._options.start if self._options.start is not None else float(int(first))
        end = self._options.end if self._options.end is not None else latest
        if end > latest:
            end = latest
            self._notes.append(f"acd has heard Asterisk until {moment(latest)}: later visits are left out")
        if self._options.start is not None and start > latest:
            raise CannotAudit(f"acd has heard Asterisk until {moment(latest)} only")
        if self._options.end is not None and start >= self._options.end:
            raise CannotAudit(f"the period ends ({moment(self._options.end)}) before it begins ({moment(start)})")
        return start, max(start, end)

    def _live(self) -> Live | None:
        if self._answer is None:
            return None
        seq, state = self._ledger.checkpoint()
        later = self._ledger.events(["MeasurementPeriodSet"], seq + 1)
        begun = self._ledger.begun() or self._answer.asked
        periods = Periods(state, later, begun, self._handler.measurement == "sliding")
        return Live(self._answer.asked, self._answer.queues, self._answer.agents, periods)

    def _logged(self, recompute: Recompute, earliest: float, until: float) -> Iterator[Logged]:
        """The visits that began at `earliest` or later, from the lines up to `until`."""
        for line in takewhile(lambda line: line.at <= until, self._lines(earliest)):
            yield from (visit for visit in recompute.add(line) if visit.entered >= earliest)
        yield from (visit for visit in recompute.rest() if visit.entered >= earliest)

    def _lines(self, earliest: float) -> Iterator[Line]:
        try:
            texts, self._older = self._log.whole(earliest - HORIZON)
            for text in texts:
                line = parse(text)
                self._read.lines += 1
                if line is None:
                    self._malformed(text)
                    continue
                self._note(line)
                yield line
        except (OSError, EOFError, zlib.error) as error:
            raise CannotAudit(
                f"{self._read.path}: cannot be read: {getattr(error, 'strerror', None) or error}"
            ) from None

    def _malformed(self, text: str) -> None:
        self._read.malformed += 1
        if len(self._read.samples) < SAMPLES:
            self._read.samples.append(text[:200])

    def _note(self, line: Line) -> None:
        if self._read.first is None:
            self._read.first = line.at
        self._read.back += self._read.last is not None and line.at < self._read.last
        self._read.last = line.at
