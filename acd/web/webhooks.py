"""Webhooks as administrators see them: who is posted to, how far each is, and whether his receiver answers.

For administrators only: an address may be inside of the network, where nobody else could send a request to.
"""

from collections.abc import Collection

from aiohttp import web

from acd.access.principals import ADMINS, Principal, Role
from acd.clock import moment
from acd.core import refusals as no
from acd.feed import Filter
from acd.web import answers, models, stream
from acd.web.answers import Page
from acd.web.nodes import NODES
from acd.web.operations import Operations
from acd.web.requests import (
    FEED,
    STORE,
    WEBHOOKS,
    answer,
    body_of,
    page,
    principal_of,
    query_of,
    secret_of,
    written,
)
from acd.webhooks import TooManyWebhooks, UnknownWebhook, Webhook, Webhooks

ALL, ONE = "/api/v1/webhooks", "/api/v1/webhooks/{webhook}"
OPERATIONS = Operations()
RECEIVER = Principal("webhook", Role.ADMIN)  # an administrator chose what it gets


def set_up(app: web.Application) -> None:
    """Webhooks that begin and end with the application; among several nodes, with the node that leads."""
    hooks = app[WEBHOOKS] = Webhooks(app[FEED], app[STORE], lambda: stream.reset(app, RECEIVER))
    if app[NODES] is not None:
        return

    async def start(_app: web.Application) -> None:
        await hooks.start()

    async def close(_app: web.Application) -> None:
        await hooks.close()

    app.on_startup.append(start)
    app.on_shutdown.append(close)


def _shape(webhook: Webhook, secret: bool = False) -> answers.Webhook:
    row, only = webhook.row, webhook.only
    shown: answers.Webhook = {
        "id": row.id,
        "url": row.url,
        "types": _listed(only.types),
        "queues": _listed(only.queues),
        "agents": _listed(only.agents),
        "groups": _listed(only.groups),
        "paused": row.paused,
        "created": moment(row.created),
        "created_by": row.created_by,
        "position": row.position,
        "behind": webhook.behind,
        "last_success": None if row.last_success is None else moment(row.last_success),
        "last_error": row.last_error,
        "failures": webhook.failures,
    }
    return {**shown, "secret": row.secret} if secret else shown


def _listed(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def _only(body: models.WebhookBody) -> Filter:
    return Filter(body.types, body.queues, body.agents, body.groups)


@OPERATIONS.get(ALL, ADMINS, Page[answers.Webhook], query=models.WebhooksQuery, etag=False)
async def list_webhooks(request: web.Request) -> web.Response:
    """All of them, without their secrets."""
    query = query_of(request, models.WebhooksQuery)
    shown = [dict(_shape(each)) for each in request.app[WEBHOOKS].all()]
    return answer(page(shown, query, lambda each: f"{each['created']} {each['id']}"))


@OPERATIONS.post(ALL, ADMINS, answers.Webhook, models.WebhookBody, TooManyWebhooks, no.StoreFailed)
async def create_webhook(request: web.Request) -> web.Response:
    """A new one, for what comes from now on. Its secret is in this answer and nowhere else."""
    body, who = await body_of(request, models.WebhookBody), principal_of(request)
    secret = secret_of(body.secret)
    made = request.app[WEBHOOKS].make(body.url, _only(body), who.name, secret, body.paused)
    await written(request.app[STORE])
    return answer(_shape(made, secret=True), 201)


@OPERATIONS.get(ONE, ADMINS, answers.Webhook, UnknownWebhook, etag=False)
async def get_webhook(request: web.Request) -> web.Response:
    """One of them, how far it is and how its last try went."""
    return answer(_shape(request.app[WEBHOOKS].get(request.match_info["webhook"])))


@OPERATIONS.put(ONE, ADMINS, answers.Webhook, models.WebhookBody, UnknownWebhook, no.StoreFailed)
async def put_webhook(request: web.Request) -> web.Response:
    """Changes where it posts what, pauses it, or lets it go on where it was; what waits is tried at once."""
    hooks, id = request.app[WEBHOOKS], request.match_info["webhook"]
    body = await body_of(request, models.WebhookBody)
    changed = hooks.change(id, body.url, _only(body), secret_of(body.secret), body.paused)
    await written(request.app[STORE])
    return answer(_shape(changed))


@OPERATIONS.delete(ONE, ADMINS, UnknownWebhook, no.StoreFailed)
async def delete_webhook(request: web.Request) -> web.Response:
    """Nothing more is posted."""
    request.app[WEBHOOKS].remove(request.match_info["webhook"])
    await written(request.app[STORE])
    return web.Response(status=204)


@OPERATIONS.post(f"{ONE}/test", ADMINS, answers.WebhookTest, None, UnknownWebhook, status=(200,))
async def test_webhook(request: web.Request) -> web.Response:
    """Posts an envelope of the number 0 that says nothing, and tells what the receiver answered, also when paused."""
    tried = await request.app[WEBHOOKS].test(request.match_info["webhook"])
    shown: answers.WebhookTest = {
        "accepted": tried.problem is None,
        "status": tried.status,
        "seconds": round(tried.seconds, 6),
        "error": tried.problem,
    }
    return answer(shown)
