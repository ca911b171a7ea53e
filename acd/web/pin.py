"""An agent's PIN: administrators give him another, and he himself where he knows the old one."""

from aiohttp import web

from acd.access.principals import ADMINS, Role
from acd.core import refusals as no
from acd.web import models
from acd.web.objects import AGENT
from acd.web.operations import Operations
from acd.web.problems import Invalid
from acd.web.requests import REGISTER, body_of, handler_of, principal_of, secret_of, written

OPERATIONS = Operations()


@OPERATIONS.put(
    f"{AGENT}/pin",
    ADMINS | {Role.AGENT},
    None,
    models.PinBody,
    no.UnknownAgent,
    no.NoAgentId,
    no.PinOfSettings,
    no.WrongPin,
    no.PinLocked,
    no.StoreFailed,
    status=(204,),
)
async def put_pin(request: web.Request) -> web.Response:
    """Gives an agent another PIN: it ends his pages' sessions and a lock. He himself has to give `old_pin`, too."""
    handler, body, who = handler_of(request), await body_of(request, models.PinBody), principal_of(request)
    if body.old_pin is None and who.role is Role.AGENT:
        raise Invalid([{"loc": ["body", "old_pin"], "msg": "is needed of the agent himself", "type": "missing"}])
    agent = request.match_info["agent"]
    await handler.commands.set_pin(agent, body.pin.get_secret_value(), secret_of(body.old_pin))
    if who.agent is not None:
        request.app[REGISTER].keep_session(who.key)
    await written(handler.store)
    return web.Response(status=204)
