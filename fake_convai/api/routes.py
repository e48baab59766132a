"""Every endpoint of the three surfaces."""

from fake_convai.api import characters, chat_history, end_users, interaction, memory, sessions, speakers, tokens
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
        sessions.group,
    )
    for endpoint in group.endpoints
)
