"""Every endpoint of the three surfaces."""

from fake_convai.api import characters, end_users, memory, speakers, tokens
from fake_convai.api.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    endpoint
    for group in (
        memory.group,
        end_users.group,
        speakers.group,
        characters.group,
        characters.user_group,
        tokens.group,
    )
    for endpoint in group.endpoints
)
