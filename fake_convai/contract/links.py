"""What may be called with the outcome of a call: the links of the OpenAPI documents, which stateful tests follow."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Link:
    """From the 200 answer of one operation to another; `values` are its parameters."""

    origin: str
    target: str
    values: dict[str, Any]
    in_query: bool = False

    def described(self) -> dict[str, Any]:
        """The link as OpenAPI writes it."""
        values = {"parameters": self.values} if self.in_query else {"requestBody": self.values}
        return {"operationId": self.target, **values}


_PARTITION = {name: f"$request.body#/{name}" for name in ("character_id", "end_user_id")}
_ADDED = {**_PARTITION, "memory_id": "$response.body#/memories/0/id"}
_PERSON = {"end_user_id": "$request.body#/end_user_id"}
_LISTED_PERSON = {"end_user_id": "$response.body#/end_users/0/end_user_id"}
_CHARACTER = {"charID": "$response.body#/charID"}
_TOKEN = {"apiAuthToken": "$response.body#/apiAuthToken"}
_FIRST_SESSION = {"charID": "$request.body#/charID", "sessionID": "$response.body#/0/sessionID"}
_TALK = {"charID": "$response.body#/charID", "sessionID": "$response.body#/sessionID"}

LINKS = (
    *(Link("memory_add", f"memory_{name}", _ADDED) for name in ("get", "delete")),
    *(Link("memory_add", f"memory_{name}", _PARTITION) for name in ("list", "delete_all")),
    *(Link("memory_add", f"end_users_{name}", _PERSON) for name in ("get", "update", "delete")),
    Link("memory_delete", "memory_get", {**_PARTITION, "memory_id": "$request.body#/memory_id"}),
    Link("memory_delete_all", "memory_list", _PARTITION),
    *(Link("end_users_list", f"end_users_{name}", _LISTED_PERSON) for name in ("get", "update", "delete")),
    Link("end_users_delete", "end_users_get", _PERSON),
    Link("speakers_new", "speakers_delete", {"speakerId": "$response.body#/speakerId"}),
    *(Link("characters_create", f"characters_{name}", _CHARACTER) for name in ("get", "update", "delete", "clone")),
    Link("characters_create", "characters_get_by_query", {"character_id": "$response.body#/charID"}, in_query=True),
    *(Link("characters_clone", f"characters_{name}", _CHARACTER) for name in ("get", "delete")),
    Link("characters_create", "interaction_get_response", _CHARACTER),
    Link("interaction_get_response", "chat_history_details", _TALK),
    Link("interaction_get_response", "chat_history_list", _CHARACTER),
    Link("interaction_get_response", "interaction_get_response", _TALK),
    Link("chat_history_list", "chat_history_details", _FIRST_SESSION),
    *(Link("tokens_connect", f"tokens_{name}", _TOKEN) for name in ("extend", "revoke")),
    Link("sessions_connect", "sessions_disconnect", {"session_id": "$response.body#/session_id"}, in_query=True),
    Link(
        "sessions_connect",
        "sessions_connect",
        {
            "character_id": "$request.body#/character_id",
            "character_session_id": "$response.body#/character_session_id",
        },
    ),
)
