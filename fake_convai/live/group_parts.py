"""Commands to a group that come in parts, since a data packet holds only so much (docs/contract.md section 9)."""

import base64
import binascii
import time
from typing import Any

import orjson
from pydantic import ValidationError

from fake_convai.backend.models import complaints
from fake_convai.domain.roster import CommandRefused
from fake_convai.live.roster_messages import GroupAddressPart

MAX_PAYLOADS = 1024 * 1024
ABANDONED_SECONDS = 60.0


class Parts:
    """Collects the parts of commands."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[float, int, dict[int, str]]] = {}

    def take(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Take a part: the whole command when it was the last one, else None.

        Raises `CommandRefused` for a part that cannot be right, and forgets what came before. One without a usable id
        is dropped, as the page says, since there is nothing to answer to.
        """
        now = time.monotonic()
        self._begun = {one: had for one, had in self._begun.items() if now - had[0] < ABANDONED_SECONDS}
        try:
            return self._add(GroupAddressPart.model_validate(message), now)
        except ValidationError as error:
            if any(detail["loc"] == ("id",) for detail in error.errors(include_url=False)):
                return None
            words = next(complaints(error, GroupAddressPart))
        except (ValueError, binascii.Error) as error:
            words = str(error)
        self._begun.pop(message["id"], None)
        raise CommandRefused("invalid_command", words, command_id=message["id"])

    def _add(self, part: GroupAddressPart, now: float) -> dict[str, Any] | None:
        command_id, index, count, payload = part.id, part.data.index, part.data.count, part.data.payload
        if part.data.command_id not in (command_id, None):
            raise ValueError("Send data with the command_id of the message, or without one.")
        if index >= count:
            raise ValueError("Send an index below count.")
        _, expected, slices = self._begun.setdefault(command_id, (now, count, {}))
        if count != expected or slices.get(index, payload) != payload:
            raise ValueError("Send the same count with each part, and each part once.")
        slices[index] = payload
        if sum(map(len, slices.values())) > MAX_PAYLOADS:
            raise ValueError(f"The parts are over {MAX_PAYLOADS} characters together.")
        if len(slices) < count:
            return None
        del self._begun[command_id]
        whole = orjson.loads(base64.b64decode("".join(slices[number] for number in range(count)), validate=True))
        if not isinstance(whole, dict) or whole.get("type") != "group-address":
            raise ValueError("The parts make no group-address.")
        return {**whole, "id": command_id}
