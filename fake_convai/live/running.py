"""All that a running server has: what every request works with, and the live sessions of this process."""

from dataclasses import dataclass

from starlette.applications import Starlette

from fake_convai.backend.backend import Backend
from fake_convai.live.hub import Hub
from fake_convai.live.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Running:
    """Made once, in the app's lifespan. The backend does not know the hub, which stands above it."""

    backend: Backend
    hub: Hub
    rooms: Rooms

    @staticmethod
    def of(app: Starlette) -> "Running | None":
        """What an app works with while its lifespan lasts; None before and afterwards."""
        running: Running | None = getattr(app, "running", None)
        return running
