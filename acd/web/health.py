"""What probes, Prometheus and the readers of the description ask for."""

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from acd.access.principals import READERS
from acd.web import answers
from acd.web.metrics import metrics
from acd.web.nodes import NODES
from acd.web.operations import PUBLIC, Operations
from acd.web.requests import HANDLERS, STORE

OPERATIONS = Operations()


@OPERATIONS.get("/healthz", PUBLIC, answers.Health, etag=False)
async def get_health(_request: web.Request) -> web.Response:
    """The process lives."""
    return web.json_response({"status": "ok"})


@OPERATIONS.get("/readyz", PUBLIC, answers.Readiness, status=(200, 503), etag=False)
async def get_readiness(request: web.Request) -> web.Response:
    """Linked to an Asterisk with its picture taken, and the store can be written; else 503 and what is missing.

    With several of them one is enough: what can be done at the others is not to be taken away by a load balancer.
    """
    store, others = request.app[STORE], request.app[NODES]
    problem = store.problem or (None if others is None else others.nodes.problem)
    links = {name: handler.center.state.linked for name, handler in request.app[HANDLERS].items()}
    ready = any(links.values()) and problem is None
    return web.json_response({"ready": ready, "linked": links, "store": problem or "ok"}, status=200 if ready else 503)


@OPERATIONS.get("/metrics", READERS, str, media=(CONTENT_TYPE_LATEST,), etag=False)
async def get_metrics(request: web.Request) -> web.Response:
    """Figures for Prometheus: what waits, what was held back or given up, whether everything is linked."""
    return await metrics(request.app)
