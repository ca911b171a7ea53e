"""GET /metrics: what waits, what was held back or given up, and whether everything is linked. For Prometheus.

Everything in acd that could grow without end has a bound; the figures here say how near it is, and how often it was
met.
"""

from collections.abc import Iterator

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from acd.store import MOST_WAITING, Store
from acd.web.requests import Handler

OF_LINK = {  # name -> what it says; an attribute of the link's Stats
    "messages": "AMI messages read",
    "broken": "Blocks that were neither an event nor an answer",
    "handler_errors": "Messages whose handling failed",
    "lost_links": "Losses of the link",
    "logins_refused": "Log-ins that Asterisk refused",
}


class Figures(Collector):
    """Everything, read at the moment it is asked for."""

    def __init__(self, handlers: dict[str, Handler], store: Store) -> None:
        self._handlers = handlers
        self._store = store

    def collect(self) -> Iterator[Metric]:
        yield from self._of_store()
        yield from self._of_handlers()
        for name, text in OF_LINK.items():
            counter = CounterMetricFamily(f"acd_link_{name}", text, labels=["handler"])
            for handler, each in self._handlers.items():
                counter.add_metric([handler], getattr(each.service.link.stats, name))
            yield counter

    def _of_store(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("acd_store_waiting", "Changes that wait for the database", value=self._store.waiting)
        yield GaugeMetricFamily("acd_store_waiting_limit", "So many may wait", value=MOST_WAITING)
        yield CounterMetricFamily("acd_store_given_up", "Changes not kept, too many waited", value=self._store.given_up)
        writable = self._store.problem is None
        yield GaugeMetricFamily("acd_store_writable", "1 while the database can be written", value=writable)

    def _of_handlers(self) -> Iterator[Metric]:
        linked = GaugeMetricFamily("acd_linked", "1 while linked to Asterisk", labels=["handler"])
        malformed = CounterMetricFamily("acd_messages_malformed", "Events without sense", labels=["handler"])
        known = GaugeMetricFamily("acd_known", "What is remembered, by kind", labels=["handler", "kind"])
        for name, handler in self._handlers.items():
            state = handler.center.state
            linked.add_metric([name], state.linked)
            malformed.add_metric([name], handler.service.broken)
            kinds = ("agents", "sessions", "queues", "members", "devices", "visits", "legs", "ringing")
            for kind in kinds:
                known.add_metric([name, kind], len(getattr(state, kind)))
        yield linked
        yield malformed
        yield known


def metrics(handlers: dict[str, Handler], store: Store) -> web.Response:
    """The answer. It tells nothing about anybody, but needs the token as the API does."""
    registry = CollectorRegistry()
    registry.register(Figures(handlers, store))
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
