"""`GET /_fake/`, the Long-Term Memory page, and the files it is made of.

The page needs no key to be read: it holds no data. All it shows and does goes through the public routes and `/_fake`,
with the keys that are typed into it.
"""

from functools import cache
from html import escape
from importlib.resources import files
from pathlib import PurePosixPath
from string import Template
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from fake_convai import __version__

PAGE = "/_fake/"
ASSETS = "/_fake/assets/"

_HEADERS = {
    # Names and memories are other people's text: should one ever become markup, nothing of it runs or leaves.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # the address may hold a key, once
    "cache-control": "no-cache",
    "vary": "accept",  # at the root, who does not ask for HTML gets JSON
}
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def wants_page(scope: Scope) -> bool:
    """Whether a browser asks for something to show; a client of the API asks for JSON, or does not say."""
    accepted = [value for name, value in scope["headers"] if name == b"accept"]
    return scope["type"] == "http" and scope["method"] == "GET" and any(b"text/html" in value for value in accepted)


@cache
def static_files() -> dict[str, bytes]:
    """The files of the page by name; read once, since a test may put another file system in place of the real one."""
    static = files(__package__) / "static"
    return {file.name: file.read_bytes() for file in static.iterdir() if file.is_file()}


def dashboard(*, demo_key: str | None, asks_control_key: bool) -> list[Route]:
    """The routes of the page. It links to the account of `demo_key`, and has a field for the control key if asked."""
    assets = static_files()
    html = Template(assets["index.html"].decode()).substitute(
        version=escape(__version__),
        demo_query=escape(urlencode({"key": demo_key or ""})),
        without_demo="" if demo_key else "hidden",
        without_control_key="" if asks_control_key else "hidden",
    )

    async def page(request: Request) -> Response:
        return Response(html, headers=_HEADERS, media_type="text/html")

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in assets or PurePosixPath(name).suffix not in _TYPES:
            raise HTTPException(404, f"Unknown file {ASSETS}{name}.")
        return Response(assets[name], headers=_HEADERS, media_type=_TYPES[PurePosixPath(name).suffix])

    async def add_slash(request: Request) -> Response:
        query = request.url.query
        return RedirectResponse(f"{PAGE}?{query}" if query else PAGE, headers=_HEADERS)

    return [
        Route(PAGE, page, methods=["GET"]),
        Route(PAGE.rstrip("/"), add_slash, methods=["GET"]),
        Route(ASSETS + "{name}", asset, methods=["GET"]),
    ]
