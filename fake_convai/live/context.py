"""The context of a session, of which the character is told what changes (docs/contract.md section 9)."""

from typing import Any

_RUNTIME_TOKENS, _STATIC_TOKENS = 30_000, 20_000
_CHARACTERS_A_TOKEN = 4  # a common estimate; the real one is not documented


class Context:
    """Collects context; of too much of it the newest is kept."""

    def __init__(self) -> None:
        self._text = ""

    def change(self, mode: str, text: str) -> dict[str, Any]:
        """Append to the context, or replace it; returns what is acknowledged of it."""
        self._text = f"{self._text}\n{text}".strip() if mode == "append" else text
        self._text = self._text[-_RUNTIME_TOKENS * _CHARACTERS_A_TOKEN :]
        tokens = -(-len(self._text) // _CHARACTERS_A_TOKEN)
        return {
            "token_count": tokens,
            "static_token_count": 0,
            "runtime_token_count": tokens,
            "max_tokens": _RUNTIME_TOKENS + _STATIC_TOKENS,
            "static_max_tokens": _STATIC_TOKENS,
            "runtime_max_tokens": _RUNTIME_TOKENS,
            "remaining_tokens": _RUNTIME_TOKENS + _STATIC_TOKENS - tokens,
            "content": self._text,
        }
