"""Every endpoint of the three surfaces."""

from fake_convai.api import (
    account,
    characters,
    chat_history,
    end_users,
    interaction,
    memory,
    sessions,
    speakers,
    tokens,
)
from fake_convai.api.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    endpoint
    for group in (
        memory.group,
        end_users.group,
        speakers.group,
        characters.group,
        characters.user_group,
        chat_history.group,
        tokens.group,
        interaction.group,
        account.group,
        account.rest_health,
        account.live_health,
        sessions.group,
    )
    for endpoint in group.endpoints
)
