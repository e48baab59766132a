"""The account with the API key `demo`: something to look at (`fake-convai serve --demo`)."""

from fake_convai.control.seed_document import SeedDocument, parse_seed

KEY = "demo"


def demo_document() -> SeedDocument:
    """Two characters, three people, and what the one who remembers knows of them."""
    return parse_seed(
        {
            "characters": [
                {
                    "character_id": "demo-safety-coach",
                    "character_name": "Safety Coach",
                    "backstory": "Trains the night shift of a harbour terminal.",
                    "memory_settings": {"enabled": True},
                },
                {
                    "character_id": "demo-museum-guide",
                    "character_name": "Museum Guide",
                    "backstory": "Knows every exhibit and forgets every visitor.",
                    "listing": "public",
                },
            ],
            "end_users": [
                {
                    "end_user_id": "player-42",
                    "end_user_metadata": {"name": "Jordan Kim", "platform": "vr"},
                    "last_active_ts": "2026-01-12T21:40:00Z",
                    "last_ltm_usage_ts": "2026-01-12T21:52:00Z",
                },
                {
                    "end_user_id": "a1b2c3d4e5f6789012345678abcdef01",
                    "end_user_metadata": {"platform": "android"},
                    "last_active_ts": "2026-01-10T08:15:00Z",
                },
                {"end_user_id": "trainee-7", "end_user_metadata": {"name": "Sam"}},
            ],
            "memories": [
                {
                    "character_id": "demo-safety-coach",
                    "end_user_id": "player-42",
                    "memory": fact,
                    "created_at": at,
                }
                for fact, at in (
                    ("The user's name is Jordan Kim.", "2026-01-11T20:00:00Z"),
                    ("The user works as a night-shift safety officer.", "2026-01-11T20:01:00Z"),
                    ("The user completed the valve check.", "2026-01-12T21:50:00Z"),
                )
            ]
            + [
                {
                    "character_id": "demo-safety-coach",
                    "end_user_id": "trainee-7",
                    "memory": "The user is afraid of heights.",
                    "created_at": "2026-01-09T10:00:00Z",
                }
            ],
            "sessions": [
                {
                    "character_id": "demo-safety-coach",
                    "end_user_id": "player-42",
                    "sessionID": "0d3e0000000040008000000000000001",
                    "started_at": "2026-01-11T19:58:00Z",
                    "is_added_to_memory": True,
                    "interactions": [
                        {
                            "timestamp": "2026-01-11T19:58:20Z",
                            "user": "My name is Jordan Kim. I work as a night-shift safety officer.",
                            "character": "Safety Coach here. Shall we begin with the valves?",
                        }
                    ],
                },
                {
                    "character_id": "demo-museum-guide",
                    "started_at": "2026-01-10T08:15:00Z",
                    "interactions": [
                        {"user": "Which is the oldest fossil?", "character": "Museum Guide here. I am listening."}
                    ],
                },
            ],
        }
    )
