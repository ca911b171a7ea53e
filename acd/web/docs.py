"""GET /openapi.json, and /docs, which shows it with Swagger UI and asks nobody but acd."""

import json
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aiohttp import web

from acd.web.openapi import description
from acd.web.operations import PUBLIC, Operation, Operations
from acd.web.pages import HEADERS, STATIC

OPERATIONS = Operations()


def _of_swagger_ui(name: str) -> Path:
    """One of its files. The package is not imported: that would read all of them into memory."""
    found = find_spec("offapi")
    assert found is not None and found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / name


FILES = {
    "/docs/swagger-ui.js": _of_swagger_ui("swagger_bundle.js"),
    "/docs/swagger-ui.css": _of_swagger_ui("swagger_style.css"),
}


class Description:
    """The OpenAPI document of these operations, made when it is first asked for."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = operations

    @cached_property
    def document(self) -> dict[str, Any]:
        return description(self._operations)

    @cached_property
    def text(self) -> str:
        """As it is kept in docs/openapi.json."""
        return json.dumps(self.document, indent=1, ensure_ascii=False) + "\n"


DESCRIPTION = web.AppKey("description", Description)


@OPERATIONS.get("/openapi.json", PUBLIC, dict, etag=False)
async def get_openapi(request: web.Request) -> web.Response:
    """This description: OpenAPI 3.1."""
    return web.Response(text=request.app[DESCRIPTION].text, content_type="application/json")


@OPERATIONS.get("/docs", PUBLIC, str, media=("text/html",), etag=False)
async def get_docs(_request: web.Request) -> web.StreamResponse:
    """This description as a page, from which requests can be tried out."""
    return web.FileResponse(STATIC / "api.html", headers=HEADERS)


def add_files(app: web.Application) -> None:
    """What the page is made of."""
    for path in FILES:
        app.router.add_get(path, _get_file)


async def _get_file(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(FILES[request.path], headers=HEADERS)
