"""The real API, with a fake Asterisk behind it, and clients of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from acd.access.principals import Role
from acd.client import TAPICallCenter, connect
from tests.web.house import TOKEN, House


def address_of(house: House) -> str:
    """Where the API of this house listens."""
    return str(house.client.make_url("/"))


def token_of(house: House, role: Role, **reach: Any) -> str:
    """A new token of this role."""
    return str(house.register.make_token("test", role, "test", **reach).text)


@asynccontextmanager
async def client_of(house: House, token: str = TOKEN) -> AsyncIterator[TAPICallCenter]:
    """A client: an administrator's, unless another token is given."""
    async with connect(address_of(house), token=token) as call_center:
        yield call_center
