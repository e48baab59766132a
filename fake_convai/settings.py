"""Every setting of the fake, in one object. A flag beats a `FAKE_CONVAI_*` variable beats the default."""

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fake_convai.domain.errors import CannotBeDone

ENVIRONMENT_PREFIX = "FAKE_CONVAI_"

Plan = Literal["free", "gamer", "indie", "professional", "scale", "enterprise"]
"""Convai's plans; only scale and enterprise include chat history (docs/contract.md section 8)."""


_MEMORY = re.compile(r"(sqlite(\+aiosqlite)?:(//)?/?/?)?(file:)?:memory:(\?.*)?|sqlite(\+aiosqlite)?://")

_LINKS = re.compile(r"(PORT|NAME|ENV_.*|SERVICE_(HOST|PORT.*)|PORT_\d+_(TCP|UDP).*)")
"""Variables that Kubernetes and docker set when a service is called fake-convai."""
_OTHERS = {"URL", "ACCOUNT_KEY", "IMAGE"}
"""Variables of other commands."""


Chosen = TypeVar("Chosen", bound="Options")


class BadSetting(CannotBeDone):
    """A setting has a value that cannot be used; the message is one line and names it."""


class Options(BaseModel):
    """What `fake-convai serve`, `create_app` and the pytest fixture can be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on; 127.0.0.1 and localhost mean both loopbacks.")
    port: int = Field(2668, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    tls: bool = Field(
        False, description="Serve HTTPS, with a certificate of a local authority; needs 'fake-convai[tls]'."
    )
    tls_folder: Path | None = Field(
        None, description="Folder of the local authority, instead of one among this user's data."
    )
    database: str | None = Field(
        None,
        description="A SQLite file, or a postgresql+asyncpg:// URL (needs 'fake-convai[postgres]'); else it is memory.",
        min_length=1,
    )
    seed: tuple[Path, ...] = Field(
        (),
        description="Seed document (JSON or YAML; - is standard input) that every new account starts with; repeatable.",
    )
    demo: bool = Field(False, description="Fill the account with the API key `demo`.")
    api_key: tuple[str, ...] = Field(
        (),
        repr=False,
        description="Accept only this API key; repeatable. Without it, any key opens its own account.",
    )
    auto_create_characters: bool = Field(False, description="Make an unknown character when it is first used.")
    split: Literal["observed", "strict"] = Field(
        "observed",
        description="Whether both REST surfaces serve every REST route, or each only its own.",
    )
    strict: bool = Field(
        False, description="Refuse fields that no SDK sends and values of another type; else the journal notes them."
    )
    plan: Plan = Field("enterprise", description="Plan of new accounts; chat history needs scale or enterprise.")
    dedup: Literal["naive", "exact", "off"] = Field(
        "naive", description="How facts are compared: by the naive rule, by equal text, or not at all."
    )
    delete_all_delay: float = Field(0.0, ge=0, description="Seconds until /memory/delete-all takes effect.")
    max_sessions: int | None = Field(
        None, ge=1, description="Live sessions an account may have open at once; more are 429."
    )
    anonymous_sessions: Literal["allow", "reject"] = Field(
        "allow", description="Whether a character with memory takes sessions without an end_user_id."
    )
    idle_timeout: float = Field(
        600.0, gt=0, description="Seconds without a message until a session ends, by the account's clock."
    )
    livekit: str = Field(
        "auto",
        min_length=1,
        description="The LiveKit server of rooms: auto starts an installed one when a room is wanted, on insists on "
        "it, off has none; or the path of the program.",
    )
    livekit_node_ip: IPv4Address | None = Field(
        None, description="Address of a room's media for clients, instead of this machine's."
    )
    livekit_port: int = Field(
        0,
        ge=0,
        le=65533,
        description="First of three ports of a LiveKit server that is started, one TCP and two UDP; 0 takes free ones.",
    )
    livekit_url: str | None = Field(
        None,
        min_length=1,
        description="Running LiveKit server to use instead, such as ws://localhost:7880.",
    )
    livekit_key: str = Field("devkey", min_length=1, description="API key of that server.")
    livekit_secret: str = Field("secret", min_length=1, repr=False, description="Secret of that server.")
    random_seed: int | None = Field(None, description="Make ids repeatable, and with a frozen clock all answers.")
    rate_limit: str | None = Field(None, description="Requests an account may make a second, such as 10/s.")
    control_key: str | None = Field(
        None, min_length=1, repr=False, description="Ask for this key on /_fake, in X-Fake-Convai-Control-Key."
    )
    allowed_host: tuple[str, ...] = Field((), description="Host name under which /_fake answers too; repeatable.")
    stop_timeout: float = Field(5.0, gt=0, description="Seconds in which a stop ends, whatever clients do.")
    journal_size: int = Field(10_000, ge=1, description="Requests, and frames of sessions, that an account keeps.")
    journal_bytes: int = Field(64 * 1024 * 1024, ge=1, description="Bytes that the requests, and the frames, may take.")
    snapshot_bytes: int = Field(256 * 1024 * 1024, ge=1, description="Bytes that an account's snapshots may take.")
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        "info", description="How much to log; at info each request is a line."
    )
    log_format: Literal["text", "json"] = Field("text", description="How requests are logged, on standard error.")

    @field_validator("seed", "api_key", "allowed_host", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("livekit", mode="before")
    @classmethod
    def _on_or_off(cls, value: object) -> object:
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else value

    @field_validator("api_key")
    @classmethod
    def _no_blank_key(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if not all(key.strip() for key in keys):
            raise ValueError("an API key must not be blank")
        return tuple(key.strip() for key in keys)

    @field_validator("rate_limit")
    @classmethod
    def _a_second(cls, rate: str | None) -> str | None:
        if rate is not None and not re.fullmatch(r"[1-9][0-9]{0,5}/s", rate):
            raise ValueError("a rate is a number of requests a second such as 10/s")
        return rate

    @field_validator("port", mode="before")
    @classmethod
    def _no_link(cls, port: object) -> object:
        # A Kubernetes Service or a docker link of this name sets such a variable, which is not meant for us.
        return 2668 if isinstance(port, str) and port.startswith("tcp://") else port

    @field_validator("database", mode="before")
    @classmethod
    def _memory(cls, database: object) -> object:
        return None if isinstance(database, str) and _MEMORY.fullmatch(database) else database

    @field_validator("database")
    @classmethod
    def _known_database(cls, database: str | None) -> str | None:
        if database and "://" in database and not database.startswith("postgresql+asyncpg://"):
            scheme = database.partition("://")[0]
            raise ValueError(f"a database is a file path or a postgresql+asyncpg:// URL, not {scheme}://")
        return database


if TYPE_CHECKING:
    from pydantic_settings import BaseSettings, SettingsConfigDict

    class Settings(Options, BaseSettings):
        """The same, where what is left out comes from the environment. Lists in variables are separated by commas."""

        model_config: ClassVar[SettingsConfigDict]

else:

    def __getattr__(name: str) -> Any:
        if name != "Settings":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _with_environment()


@cache
def _with_environment() -> "type[Settings]":
    # Imported here, since a test's fake does without: variables are meant for a server that somebody starts.
    from pydantic_settings import BaseSettings, SettingsConfigDict

    config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, env_ignore_empty=True, enable_decoding=False)
    kind: Any = type(Options)
    made: type[Settings] = kind(
        "Settings",
        (Options, BaseSettings),
        {"model_config": config, "__module__": __name__, "__qualname__": "Settings"},
    )
    return made


def load_settings(**flags: object) -> "Settings":
    """Settings from the flags that were given, then the environment; raises `BadSetting` for a value it cannot use."""
    return _load(_with_environment(), flags)


def given_settings(**values: object) -> Options:
    """Settings from these values alone; raises `BadSetting` for one it cannot use."""
    return _load(Options, values)


def _load(kind: type[Chosen], values: Mapping[str, object]) -> Chosen:
    try:
        return kind(**values)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        name = str(detail["loc"][0]) if detail["loc"] else "settings"
        flag, variable = f"--{name.replace('_', '-')}", ENVIRONMENT_PREFIX + name.upper()
        shown = "" if _is_secret(name, detail["input"]) else f", not {detail['input']!r}"
        message = detail["msg"].removeprefix("Value error, ")
        raise BadSetting(f"{flag} (or {variable}): {message[:1].lower()}{message[1:]}{shown}") from error


def unknown_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """A line for each variable that looks like a setting and is none, with the nearest."""
    known = {name.upper() for name in Options.model_fields}
    for variable in sorted(environment):
        name = variable.removeprefix(ENVIRONMENT_PREFIX)
        if name == variable or name in known | _OTHERS or _LINKS.fullmatch(name):
            continue
        near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.0)[0]
        yield f"{variable} is no setting; the nearest is {ENVIRONMENT_PREFIX}{near}"


def _is_secret(name: str, value: object) -> bool:
    """Whether a value must not be shown: a key, a secret, or a URL that may hold a password."""
    field = Options.model_fields.get(name)
    return (field is not None and not field.repr) or "@" in str(value)
