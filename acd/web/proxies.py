"""Who asks, and whether by TLS, where a proxy stands in between: as it says, if it is one that is trusted."""

import ipaddress
from collections.abc import Iterable, Sequence
from ipaddress import ip_network

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from acd.settings import Network
from acd.web.nodes import FORWARDED, NODES

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SECURE = web.RequestKey("secure", bool)  # the browser speaks TLS, to us or to a proxy


def forwarded(trusted: Sequence[Network]) -> Middleware:
    """Takes X-Forwarded-For and X-Forwarded-Proto from these networks and from other nodes, and from nobody else."""

    @web.middleware
    async def as_forwarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        peer, others = _address(request.remote or ""), request.app.get(NODES)
        request[FORWARDED] = others is not None and others.is_one(request)
        believed = [ip_network(peer)] if peer is not None and request[FORWARDED] else trusted
        if peer is None or not _within(peer, believed):
            request[SECURE] = request.secure
            return await handler(request)
        chain = (_address(each) for each in reversed(_listed(request, "X-Forwarded-For")))
        schemes = [each.lower() for each in _listed(request, "X-Forwarded-Proto")]
        scheme = schemes[-1] if schemes and schemes[-1] in ("http", "https") else request.scheme
        request[SECURE] = scheme == "https"
        return await handler(request.clone(remote=str(_client(peer, chain, believed)), scheme=scheme))

    return as_forwarded


def _client(peer: Address, chain: Iterable[Address | None], trusted: Sequence[Network]) -> Address:
    """The first in the chain, counted from us, that is no trusted proxy: what it says itself is not believed."""
    client = peer
    for before in chain:
        if before is None or not _within(client, trusted):
            break
        client = before
    return client


def _listed(request: web.Request, header: str) -> list[str]:
    return [each.strip() for value in request.headers.getall(header, []) for each in value.split(",")]


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
