from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    match: str
    reply: str
def choose_reply(said: str, *, memories: Sequence[str], scripted: Sequence[ScriptedReply], default: str | None, character_name: str) -> str:
    return "You said "+said+" "+" ".join(memories)
def chunks(reply: str) -> list[str]:
    return [reply]
