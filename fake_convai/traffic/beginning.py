"""What has to be there before a recording can be replayed: the characters that it finds and does not make."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fake_convai.control.seed_document import CharacterPart
from fake_convai.traffic.recording import Exchange
from fake_convai.traffic.translation import Translation

_NAMES = ("character_id", "charID", "charId")
_KNOWN_OF = CharacterPart.model_fields.keys() - {"character_id", "timestamp"}


@dataclass
class _Found:
    """What a recording shows of a character as it was at the beginning."""

    account: str
    remembers: bool = False
    shown: dict[str, Any] = field(default_factory=dict)


def seeds(
    exchanges: Iterable[Exchange], accounts: Sequence[str], translation: Translation
) -> dict[str, dict[str, Any]]:
    """A seed document for each of the accounts, with ids that no other account has yet; there must be one at least.

    A character that the recording does not show has memory when anybody asks what it remembers. One that is used with
    a token only counts as the first account's.
    """
    found: dict[str, _Found] = {}
    made: set[str] = set()
    for exchange in exchanges:
        answer = exchange.response.body.value
        if exchange.response.status == 200:
            account = account_of(exchange)
            _note(exchange, account if account in accounts else accounts[0], found, made)
            for shown in _shown(answer):
                one = found.get(str(shown.get("character_id")))
                if one is not None and not one.shown:
                    one.shown = {name: shown[name] for name in _KNOWN_OF & shown.keys()}
        if isinstance(answer, dict) and isinstance(answer.get("charID"), str):
            made.add(answer["charID"])
    documents: dict[str, dict[str, Any]] = {}
    for character_id, one in found.items():
        fresh = str(uuid.uuid4())
        translation.bind(character_id, fresh)
        part = {"memory_settings": {"enabled": one.remembers}, **_fitting(one.shown), "character_id": fresh}
        documents.setdefault(one.account, {"characters": []})["characters"].append(part)
    return documents


def account_of(exchange: Exchange) -> str:
    """The placeholder of the key, or of a token in its place, that a request was made with."""
    headers = exchange.request.headers
    return headers.get("convai-api-key") or headers.get("x-api-key") or ""


def _note(exchange: Exchange, account: str, found: dict[str, _Found], made: set[str]) -> None:
    for character_id in _ids(exchange) - made:
        one = found.setdefault(character_id, _Found(account))
        one.remembers = one.remembers or exchange.request.path.startswith("/memory/")


def _shown(answer: Any) -> list[dict[str, Any]]:
    """The characters in an answer: of a list, or the answer itself."""
    listed = answer.get("characters", [answer]) if isinstance(answer, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _ids(exchange: Exchange) -> set[str]:
    request = exchange.request
    fields = request.body.value if isinstance(request.body.value, dict) else {}
    values = [{**request.query, **fields}.get(name) for name in _NAMES]
    return {value for value in values if isinstance(value, str) and value}


def _fitting(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What was shown, as far as a seed document takes it; the real service may have members of other types."""
    fitting: dict[str, Any] = {name: value for name, value in shown.items() if isinstance(value, str) and value}
    memory = shown.get("memory_settings")
    if isinstance(memory, dict):
        fitting["memory_settings"] = {"enabled": memory.get("enabled") is True}
    return fitting
