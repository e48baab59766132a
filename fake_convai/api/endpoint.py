"""What an endpoint is: a path on some surfaces, the model of its body, and a function that answers.

The same declaration routes the request, validates it and describes it in the OpenAPI document.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel
from starlette.requests import Request

from fake_convai.domain.ids import Ids
from fake_convai.settings import Settings
from fake_convai.store.accounts import AccountStore

Source = Literal["seed", "docs", "sdk", "observed", "assumption"]
Handler = Callable[["Call", Any], Awaitable[Any]]


class Surface(StrEnum):
    """One of Convai's three hosts (CONTRACT.md section 1)."""

    PRODUCTION = "production"
    BETA = "beta"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has been routed, authenticated and read."""

    request: Request
    store: AccountStore
    settings: Settings
    ids: Ids
    cursor_secret: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route and all that is known about it."""

    path: str
    method: str
    surfaces: tuple[Surface, ...]
    group: str
    source: Source
    summary: str
    description: str
    body: type[BaseModel]
    answer: Any
    handler: Handler
    unauthorized_key: str
    """The member that holds the message of a 401: some routes have their own (CONTRACT.md section 1, D)."""
    key_only: bool
    """Whether only an API key opens it, not a token."""

    @property
    def home(self) -> Surface:
        """The surface whose manners the route has where several are served together."""
        return self.surfaces[0]


class Group:
    """Endpoints that share a name, surfaces and manners; `post` and `get` declare one each."""

    def __init__(self, name: str, *surfaces: Surface, unauthorized_key: str = "ERROR", key_only: bool = False) -> None:
        self.name = name
        self.surfaces = surfaces
        self.endpoints: list[Endpoint] = []
        self._unauthorized_key = unauthorized_key
        self._key_only = key_only

    def post(self, path: str, *, source: Source) -> Callable[[Handler], Handler]:
        """Declare the decorated function as what answers `POST path`."""
        return self._declare("POST", path, source)

    def get(self, path: str, *, source: Source) -> Callable[[Handler], Handler]:
        """Declare the decorated function as what answers `GET path`; its parameters come from the query."""
        return self._declare("GET", path, source)

    def _declare(self, method: str, path: str, source: Source) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            hints = get_type_hints(handler)
            summary, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n\n")
            self.endpoints.append(
                Endpoint(
                    path=path,
                    method=method,
                    surfaces=self.surfaces,
                    group=self.name,
                    source=source,
                    summary=summary.rstrip("."),
                    description=" ".join(description.split()),
                    body=hints["body"],
                    answer=hints["return"],
                    handler=handler,
                    unauthorized_key=self._unauthorized_key,
                    key_only=self._key_only,
                )
            )
            return handler

        return declare
