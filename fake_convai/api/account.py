"""The account itself: what SDKs ask before any of their other calls (docs/contract.md section 11)."""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from fake_convai.api.endpoint import Call, Group
from fake_convai.backend.models import Described, Empty, RequestModel, Text, Timestamp
from fake_convai.backend.surface import Surface
from fake_convai.domain.clock import SECOND, to_iso
from fake_convai.store import accounts
from fake_convai.store.accounts import AccountTransaction

group = Group("Account", Surface.PRODUCTION)
rest_health = Group("Account", Surface.PRODUCTION, Surface.BETA, access="anybody")
live_health = Group("Account", Surface.LIVE, access="anybody")

_MONTH = 30 * 24 * 3600 * SECOND
_METRICS = ("interactions", "provider_pool_1", "core-api", "pixel_streaming")
"""What Unity's reader of the usage looks for."""


class SourceRequest(RequestModel):
    """Says where the user heard of the service."""

    referral_source: Text | None = None


class ReferralStatus(TypedDict):
    """Says that the key is good, which SDKs take any text for that is not empty."""

    referral_source_status: str
    status: str


class Done(TypedDict):
    """The word for success."""

    status: str


class UsageDetail(TypedDict):
    """Says how much of what may be used was used."""

    limit: float
    usage: float


class Metric(TypedDict):
    """One kind of use."""

    id: str
    usage_details: list[UsageDetail]


class Usage(TypedDict):
    """The plan, until when it runs, and what was used."""

    plan_name: str
    expiry_ts: Annotated[Timestamp, Described(description="Always a month ahead.")]
    metrics: list[Metric]


class UsageAnswer(TypedDict):
    """What the account has used."""

    usage_v2: Usage


class Health(TypedDict):
    """Says that the service answers."""

    status: Literal["healthy"]


@group.post("/user/referral-source-status", source="sdk")
async def referral_status(call: Call, body: Empty) -> ReferralStatus:
    """Check a key: an SDK takes any answer with a text in it for yes."""
    return {"referral_source_status": "fake-convai", "status": "success"}


@group.post("/user/update-source", source="sdk")
async def update_source(call: Call, body: SourceRequest) -> Done:
    """Say where one heard of the service; nothing is kept of it."""
    return {"status": "success"}


@group.post("/user/user-api-usage", source="sdk")
async def usage(call: Call, body: Empty) -> UsageAnswer:
    """Show the plan and what was used of it: nothing is counted, and nothing is limited."""
    plan, now = await call.store.read(_plan_and_time)
    metrics: list[Metric] = [{"id": name, "usage_details": [{"limit": 0.0, "usage": 0.0}]} for name in _METRICS]
    return {
        "usage_v2": {
            "plan_name": plan or call.backend.settings.plan,
            "expiry_ts": to_iso(now + _MONTH),
            "metrics": metrics,
        }
    }


@rest_health.get("/health", source="sdk")
async def health(call: Call, body: Empty) -> Health:
    """Say that the service answers."""
    return {"status": "healthy"}


@live_health.get("/healthz", source="docs")
async def healthz(call: Call, body: Empty) -> Health:
    """Say that the service answers."""
    return {"status": "healthy"}


def _plan_and_time(tx: AccountTransaction) -> tuple[str | None, int]:
    return accounts.profile(tx).plan, tx.now
