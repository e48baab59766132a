"""Commands to a group that come in parts, since a data packet holds only so much (docs/contract.md section 9)."""

import base64
import binascii
import time
from typing import Any

import orjson

from fake_convai.domain.roster import MAX_COMMAND_ID, CommandRefused

MAX_PARTS = 64
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
        command_id = message.get("id")
        if not isinstance(command_id, str) or not 1 <= len(command_id) <= MAX_COMMAND_ID:
            return None
        now = time.monotonic()
        self._begun = {one: had for one, had in self._begun.items() if now - had[0] < ABANDONED_SECONDS}
        try:
            return self._add(command_id, message.get("data"), now)
        except (ValueError, binascii.Error) as error:
            self._begun.pop(command_id, None)
            raise CommandRefused("invalid_command", f"{error}", command_id=command_id) from error

    def _add(self, command_id: str, data: Any, now: float) -> dict[str, Any] | None:
        if not isinstance(data, dict) or data.get("command_id", command_id) != command_id:
            raise ValueError("Send data with the command_id of the message, or without one.")
        index, count, payload = data.get("index"), data.get("count"), data.get("payload")
        if type(count) is not int or not 1 <= count <= MAX_PARTS or type(index) is not int or not 0 <= index < count:
            raise ValueError(f"Send an index below count, and a count of 1 to {MAX_PARTS}.")
        if not isinstance(payload, str):
            raise ValueError("Send a payload: a slice of the base64 of the whole command.")
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
