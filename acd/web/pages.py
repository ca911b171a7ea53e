"""The pages for people, and the files that they are made of. A browser gets them as they lie in static/."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from aiohttp import web

from acd.web import answers
from acd.web.operations import PUBLIC, Operations
from acd.web.requests import HANDLERS, SIMULATED, answer

OPERATIONS = Operations()
STATIC = Path(__file__).parent / "static"
PAGES = {"/": "wallboard.html", "/desk": "desk.html", "/agent": "agent.html"}
SIP_LIBRARY = "/static/npm/sip.js/lib/index.js"
_POLICY = (  # the browser itself sees to it that a page loads nothing from elsewhere and runs nothing but these files
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
# No text ever becomes a part of our own pages' code or markup; Swagger UI cannot do without.
OWN_HEADERS = HEADERS | {
    "Content-Security-Policy": f"{_POLICY}; require-trusted-types-for 'script'; trusted-types 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


def _files() -> dict[str, Path]:
    found = [path for path in STATIC.rglob("[!.]*.*") if path.is_file() and path.suffix != ".html"]
    parts = {f"/static/{path.relative_to(STATIC)}": path for path in found}
    pages = {path: STATIC / name for path, name in PAGES.items()}
    return parts | pages | {"/favicon.ico": STATIC / "icon.svg"}  # browsers ask for it wherever they are


FILES = _files()


@OPERATIONS.get("/api/v1/site", PUBLIC, answers.Site)
async def get_site(request: web.Request) -> web.Response:
    """What a page has to know before anybody has logged in."""
    site = {
        "version": _version(),
        "simulated": request.app[SIMULATED],
        "browser_phone": SIP_LIBRARY in FILES and any(each.phones.websocket for each in request.app[HANDLERS].values()),
    }
    return answer(site, request=request)


def _version() -> str:
    try:
        return version("acd")
    except PackageNotFoundError:  # run from its directory, without an installation
        return ""


def add_files(app: web.Application) -> None:
    """The pages, and what they are made of."""
    for path in FILES:
        app.router.add_get(path, _get_file)


async def _get_file(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(FILES[request.path], headers=OWN_HEADERS)
