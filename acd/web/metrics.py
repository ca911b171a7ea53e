"""GET /metrics: the floor at this moment, what became of calls, and whether acd itself is well. For Prometheus.

Everything in acd that could grow without end has a bound; the figures here say how near it is, and how often it was
met. Labels hold what there is (handlers, queues, routes) or one of a few words, never a person's name or number.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import accumulate

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from acd.core.center import Center
from acd.core.records import Agent
from acd.core.states import AgentState, SessionState
from acd.core.views import queue_view
from acd.counts import Histogram, QueueCounts
from acd.store import MOST_WAITING
from acd.web.requests import FEED, HANDLERS, STORE, WEBHOOKS

OF_LINK = {  # name -> what it says; an attribute of the link's Stats
    "messages": "AMI messages read",
    "broken": "Blocks that were neither an event nor an answer",
    "handler_errors": "Messages whose handling failed",
    "lost_links": "Losses of the link",
    "reconnects": "Times that it was linked again after a loss",
    "logins_refused": "Log-ins that Asterisk refused",
}
OF_CALLS = {  # name -> what it says; an attribute of QueueCounts
    "answer_wait": "Seconds from entering the queue to the answer, of answered calls",
    "abandon_wait": "Seconds from entering the queue to hanging up, of abandoned calls",
    "talk": "Seconds from the answer to the end of the agent's part, hold included",
    "wrap_up": "Seconds of after-call work, 0 where none followed",
}
OF_STREAM = {  # name -> what it says; an attribute of the feed's Stats
    "published": "Envelopes put into the stream of events",
    "closed_slow": "Subscribers whose stream was closed because they did not keep up",
    "resets": "Subscribers who got the whole picture because what they missed is gone",
}
KINDS = ("agents", "sessions", "queues", "members", "devices", "visits", "legs", "ringing")
WRAP_UP = SessionState.BUSY_WRAPUP.name
LOGGED_OFF = "LOGGED_OFF"
AT_WORK = (*AgentState.__members__, WRAP_UP)  # what an agent of a queue can be in
LIVE = tuple(state.name for state in SessionState if state is not SessionState.SESSION_ENDED)
ANSWERS = (0.005, 0.02, 0.1, 0.5, 2.0, 5.0)  # seconds that a request may take
NO_ROUTE = ("*", "none")


class Requests:
    """Counts what was answered, by route: a path could be anything."""

    def __init__(self) -> None:
        self._answered: Counter[tuple[str, str, str]] = Counter()
        self._took: dict[tuple[str, str], Histogram] = {}

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """To be the outermost, so that it sees every answer as it goes out."""
        began, answer = time.perf_counter(), None
        try:
            answer = await handler(request)
        finally:
            self._count(request, answer, time.perf_counter() - began)
        return answer

    def _count(self, request: web.Request, answer: web.StreamResponse | None, seconds: float) -> None:
        route = request.match_info.route
        name = NO_ROUTE if route.resource is None else (route.method, route.resource.canonical)
        status = "none" if answer is None else f"{answer.status // 100}xx"
        self._answered[*name, status] += 1
        if isinstance(answer, web.Response):  # a stream lasts as long as somebody listens
            self._took.setdefault(name, Histogram(ANSWERS)).add(seconds)

    def collect(self) -> Iterator[Metric]:
        """The figures of all requests so far."""
        labels = ["method", "route"]
        answered = CounterMetricFamily("acd_http_requests", "Requests answered", labels=[*labels, "status"])
        for answer, count in self._answered.items():
            answered.add_metric(answer, count)
        took = HistogramMetricFamily("acd_http_request_duration_seconds", "Seconds to an answer", labels=labels)
        for name, histogram in self._took.items():
            _add(took, name, histogram)
        yield answered
        yield took


REQUESTS = web.AppKey("requests", Requests)


class Figures:
    """Everything, read at the moment it is asked for."""

    def __init__(self, app: web.Application) -> None:
        self._handlers = app[HANDLERS]
        self._store = app[STORE]
        self._requests = app[REQUESTS]
        self._feed = app[FEED]
        self._webhooks = app[WEBHOOKS]

    def collect(self) -> Iterator[Metric]:
        """Every figure with its labels."""
        yield from self._of_queues()
        yield from self._of_calls()
        yield from self._of_agents()
        yield from self._of_handlers()
        yield from self._of_links()
        yield from self._of_store()
        yield from self._of_stream()
        yield from self._of_webhooks()
        yield from self._requests.collect()

    def _of_queues(self) -> Iterator[Metric]:
        labels = ["handler", "queue"]
        waiting = GaugeMetricFamily("acd_queue_waiting", "Callers who wait now", labels=labels)
        longest = GaugeMetricFamily("acd_queue_longest_wait_seconds", "The longest of their waits", labels=labels)
        agents = GaugeMetricFamily(
            "acd_queue_agents", "Agents who are logged on for the queue, by state", labels=[*labels, "state"]
        )
        for name, handler in self._handlers.items():
            now, at_work = handler.service.now(), _agents_of_queues(handler.center)
            for queue in handler.center.state.queues:
                view = queue_view(handler.center, queue, now)
                waiting.add_metric([name, queue], view.current_calls_queued)
                longest.add_metric([name, queue], view.current_longest_wait_time_exact)
                for state in AT_WORK:
                    agents.add_metric([name, queue, state], at_work[queue, state])
        yield waiting
        yield longest
        yield agents

    def _of_calls(self) -> Iterator[Metric]:
        """Every queue that there is, also where nothing was counted: a counter that appears has no increase."""
        labels = ["handler", "queue"]
        entered = CounterMetricFamily("acd_queue_entered", "Calls that entered the queue", labels=labels)
        outcomes = CounterMetricFamily(
            "acd_queue_outcomes", "Calls that left the queue for good, by outcome", labels=[*labels, "outcome"]
        )
        spans = {
            name: HistogramMetricFamily(f"acd_queue_{name}_seconds", text, labels=labels)
            for name, text in OF_CALLS.items()
        }
        for handler, queue, counts in self._counts():
            entered.add_metric([handler, queue], counts.entered)
            for outcome, count in counts.outcomes.items():
                outcomes.add_metric([handler, queue, outcome], count)
            for name, family in spans.items():
                _add(family, (handler, queue), getattr(counts, name))
        yield entered
        yield outcomes
        yield from spans.values()

    def _counts(self) -> Iterator[tuple[str, str, QueueCounts]]:
        for name, handler in self._handlers.items():
            handler.service.counts.settle()
            for queue in handler.center.state.queues:
                yield name, queue, handler.service.counts.of(queue)

    def _of_agents(self) -> Iterator[Metric]:
        agents = GaugeMetricFamily("acd_agents", "Agents by state", labels=["handler", "state"])
        sessions = GaugeMetricFamily("acd_sessions", "Live sessions by state", labels=["handler", "state"])
        for name, handler in self._handlers.items():
            state = handler.center.state
            are = Counter(_agent_state(handler.center, agent) for agent in state.agents.values())
            for each in (*AT_WORK, LOGGED_OFF):
                agents.add_metric([name, each], are[each])
            live = Counter(state.sessions[key].state.name for agent in state.agents.values() for key in agent.sessions)
            for each in LIVE:
                sessions.add_metric([name, each], live[each])
        yield agents
        yield sessions

    def _of_handlers(self) -> Iterator[Metric]:
        linked = GaugeMetricFamily("acd_linked", "1 while linked to Asterisk", labels=["handler"])
        leads = GaugeMetricFamily("acd_leads", "1 on the node that leads", labels=["handler"])
        malformed = CounterMetricFamily("acd_messages_malformed", "Events without sense", labels=["handler"])
        known = GaugeMetricFamily("acd_known", "What is remembered, by kind", labels=["handler", "kind"])
        lag = HistogramMetricFamily(
            "acd_event_lag_seconds", "Seconds from an event's own time until acd has handled it", labels=["handler"]
        )
        unheard = GaugeMetricFamily(
            "acd_unheard_seconds", "Seconds since Asterisk was known to have told all", labels=["handler"]
        )
        for name, handler in self._handlers.items():
            state, service = handler.center.state, handler.service
            linked.add_metric([name], state.linked)
            leads.add_metric([name], service.leads)
            malformed.add_metric([name], service.broken)
            for kind in KINDS:
                known.add_metric([name, kind], len(getattr(state, kind)))
            _add(lag, (name,), service.lag)
            if service.unheard is not None:
                unheard.add_metric([name], service.unheard)
        yield linked
        yield leads
        yield malformed
        yield known
        yield lag
        yield unheard

    def _of_links(self) -> Iterator[Metric]:
        for figure, text in OF_LINK.items():
            counter = CounterMetricFamily(f"acd_link_{figure}", text, labels=["handler"])
            for name, handler in self._handlers.items():
                counter.add_metric([name], getattr(handler.service.link.stats, figure))
            yield counter
        ping = GaugeMetricFamily(
            "acd_link_ping_seconds", "Seconds from the last ping to its answer", labels=["handler"]
        )
        offset = GaugeMetricFamily(
            "acd_link_clock_offset_seconds", "Asterisk's clock minus acd's own", labels=["handler"]
        )
        for name, handler in self._handlers.items():
            link = handler.service.link
            if link.round_trip is not None:
                ping.add_metric([name], link.round_trip)
            offset.add_metric([name], link.clock_offset)
        yield ping
        yield offset

    def _of_store(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("acd_store_waiting", "Changes that wait for the database", value=self._store.waiting)
        yield GaugeMetricFamily("acd_store_waiting_limit", "So many may wait", value=MOST_WAITING)
        yield CounterMetricFamily("acd_store_given_up", "Changes not kept, too many waited", value=self._store.given_up)
        writable = self._store.problem is None
        yield GaugeMetricFamily("acd_store_writable", "1 while the database can be written", value=writable)

    def _of_stream(self) -> Iterator[Metric]:
        stats = self._feed.stats
        yield GaugeMetricFamily("acd_stream_subscribers", "Listeners to the events now", value=stats.subscribers)
        for name, text in OF_STREAM.items():
            yield CounterMetricFamily(f"acd_stream_{name}", text, value=getattr(stats, name))

    def _of_webhooks(self) -> Iterator[Metric]:
        hooks = self._webhooks
        yield CounterMetricFamily("acd_webhook_deliveries", "Posts that a receiver accepted", value=hooks.deliveries)
        yield CounterMetricFamily("acd_webhook_failures", "Posts that no receiver accepted", value=hooks.failures)
        yield GaugeMetricFamily("acd_webhook_behind", "Envelopes that the slowest has to come", value=hooks.behind)
        yield GaugeMetricFamily("acd_webhooks_paused", "Webhooks to which nothing is posted", value=hooks.paused)


def _agent_state(center: Center, agent: Agent) -> str:
    """An AGENT_STATE, or one of the two that TAPI has no value for: after-call work alone, and no session."""
    if not agent.sessions:
        return LOGGED_OFF
    talks = (center.state.sessions[key].state is SessionState.BUSY_ON_CALL for key in agent.sessions)
    return WRAP_UP if agent.state is AgentState.BUSY_ACD and not any(talks) else agent.state.name


def _agents_of_queues(center: Center) -> Counter[tuple[str, str]]:
    """(queue, state) -> agents. Ready for a queue is who has a session for it that is, and is ready himself."""
    found: Counter[tuple[str, str]] = Counter()
    for agent in center.state.agents.values():
        state, ready, served = _agent_state(center, agent), set[str](), set[str]()
        for session in (center.state.sessions[key] for key in agent.sessions):
            queues = center.members.queues_of(session)
            served.update(queues)
            if session.state is SessionState.READY:
                ready.update(queues)
        for queue in served:
            held_back = state == AgentState.READY.name and queue not in ready
            found[queue, AgentState.NOT_READY.name if held_back else state] += 1
    return found


def _add(family: HistogramMetricFamily, labels: tuple[str, ...], histogram: Histogram) -> None:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
    family.add_metric(labels, buckets, histogram.total)


class _Collected(Collector):
    """Figures as they were when they were read."""

    def __init__(self, figures: Figures) -> None:
        self._metrics = list(figures.collect())

    def collect(self) -> list[Metric]:
        return self._metrics


async def metrics(app: web.Application) -> web.Response:
    """The answer. It tells nothing about anybody, but needs the token as the API does.

    The figures are read between two events; to write them down takes longer, and holds no event up.
    """
    figures = _Collected(Figures(app))
    text = await asyncio.to_thread(_text, figures)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _text(figures: Collector) -> bytes:
    registry = CollectorRegistry()
    registry.register(figures)
    ProcessCollector(registry=registry)
    return generate_latest(registry)
