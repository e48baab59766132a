"""The routes under `/_fake`: what a test does to the fake itself (DESIGN.md, "The control plane")."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fake_convai import __version__
from fake_convai.domain.errors import Unavailable

PREFIX = "/_fake"


async def health(request: Request) -> JSONResponse:
    """200 once migrated, seeded and in touch with the database, else 503."""
    backend = getattr(request.app.state, "backend", None)
    try:
        if backend is None:
            raise Unavailable("The server has not started.")
        await backend.database.read(lambda tx: None)
    except Unavailable as error:
        body = {"status": "unavailable", "version": __version__, "reason": error.message}
        return JSONResponse(body, status_code=503)
    return JSONResponse({"status": "ready", "version": __version__})


ROUTES = [Route(f"{PREFIX}/health", health, methods=["GET"])]
