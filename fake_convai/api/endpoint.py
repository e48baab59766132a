"""What an endpoint is: a path on some surfaces, the model of its body, and a function that answers.

The same declaration routes the request, validates it and describes it in the OpenAPI document.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from fake_convai.backend.backend import Backend
from fake_convai.backend.errors import Manners
from fake_convai.backend.journal import Note
from fake_convai.backend.models import complaints
from fake_convai.backend.surface import Surface
from fake_convai.live.hub import Hub
from fake_convai.live.running import Running
from fake_convai.store.accounts import AccountStore

Source = Literal["seed", "docs", "sdk", "observed", "assumption"]
Access = Literal["key", "key or token", "anybody"]
Reads = Literal["json", "query", "form"]
Handler = Callable[["Call", Any], Awaitable[Any]]


@dataclass(slots=True)
class Call:
    """A request that has been routed, authenticated and read."""

    request: Request
    running: Running
    account: AccountStore | None
    note: Note
    """What the journal is to say about the request."""
    in_path: dict[str, str] = field(default_factory=dict)
    """What stands in the path where its template has a name."""

    @property
    def backend(self) -> Backend:
        """What all requests work with."""
        return self.running.backend

    @property
    def hub(self) -> Hub:
        """The live sessions of this process."""
        return self.running.hub

    @property
    def store(self) -> AccountStore:
        """The database as the account of the request sees it."""
        assert self.account is not None, "a route that needs no key has no account"
        return self.account


@dataclass(frozen=True)
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
    members: Mapping[int, str] = field(hash=False)
    """The member that holds the message of an error, by status, where the route has its own."""
    access: Access
    reads: Reads
    errors: tuple[int, ...]
    """Statuses that not every endpoint of its kind can answer with."""
    status: int = 200
    """The one that tells of success."""
    missing_key: str | None = None
    """What is said to a request without a key, where the route has words of its own."""

    @property
    def operation_id(self) -> str:
        """The name of the operation in the OpenAPI document, such as `memory_add`."""
        module = self.handler.__module__.rpartition(".")[2]
        return f"{module}_{self.handler.__name__.strip('_')}"

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names, in Convai's spelling, of what is read of the body."""
        return frozenset(field.alias or name for name, field in self.body.model_fields.items())

    def review(self, body: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """Fields of a body that nothing reads, and what a stricter server would not have taken."""
        unknown = sorted(set(body) - self.fields)
        if self.reads != "json":
            return unknown, []
        try:
            self.body.model_validate({name: value for name, value in body.items() if value is not None}, strict=True)
        except ValidationError as error:
            return unknown, list(complaints(error, self.body))
        return unknown, []

    @property
    def home(self) -> Surface:
        """The surface whose manners the route has where several are served together."""
        return self.surfaces[0]

    def manners(self, named: Surface | None) -> Manners:
        """How the route says no to a request that names this surface, or none."""
        return self._manners[self.home if named is None else named]

    @cached_property
    def _manners(self) -> dict[Surface, Manners]:
        return {surface: Manners(surface, self.members, self.missing_key) for surface in Surface}


class Group:
    """Endpoints that share a name, surfaces and manners; `post` and `get` declare one each."""

    def __init__(
        self, name: str, *surfaces: Surface, members: Mapping[int, str] | None = None, access: Access = "key or token"
    ) -> None:
        self.name = name
        self.surfaces = surfaces
        self.endpoints: list[Endpoint] = []
        self._members = members or {}
        self._access = access

    def post(
        self,
        path: str,
        *,
        source: Source,
        reads: Reads = "json",
        access: Access | None = None,
        errors: tuple[int, ...] = (),
        **manners: Any,
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated function as what answers `POST path`; `errors` are statuses of its own.

        `manners` are further fields of `Endpoint`: `status`, `members` besides the group's, `missing_key`.
        """
        return self._declare("POST", path, source, reads, access or self._access, errors, **manners)

    def get(self, path: str, *, source: Source, errors: tuple[int, ...] = ()) -> Callable[[Handler], Handler]:
        """Declare the decorated function as what answers `GET path`; its parameters come from the query."""
        return self._declare("GET", path, source, "query", self._access, errors)

    def delete(self, path: str, *, source: Source, errors: tuple[int, ...] = ()) -> Callable[[Handler], Handler]:
        """Declare the decorated function as what answers `DELETE path`; its parameters come from path and query."""
        return self._declare("DELETE", path, source, "query", self._access, errors)

    def _declare(
        self,
        method: str,
        path: str,
        source: Source,
        reads: Reads,
        access: Access,
        errors: tuple[int, ...],
        members: Mapping[int, str] | None = None,
        **manners: Any,
    ) -> Callable[[Handler], Handler]:
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
                    members={**self._members, **(members or {})},
                    access=access,
                    reads=reads,
                    errors=errors,
                    **manners,
                )
            )
            return handler

        return declare
