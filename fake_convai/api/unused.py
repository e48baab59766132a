"""Fields that clients are known to send and the fake takes without a use for them, by path and by where it is known
from. With `--strict`, any other unknown field is refused."""

from collections.abc import Mapping
from typing import Literal

UNUSED: Mapping[str, Mapping[Literal["docs", "sdk", "observed"], tuple[str, ...]]] = {
    "/character/create": {"docs": ("actions",)},
    "/character/update": {"docs": ("action",), "sdk": ("displayName",)},
    "/user/clone_character": {"docs": ("KB",)},
    "/connect": {
        "docs": (
            "blendshape_config",
            "blendshape_provider",
            "debug",
            "debug_row_cap",
            "disable_live_fallback",
            "dynamic_info",
            "emotion_config",
            "invocation_metadata",
            "llm_provider",
            "narrative_template_keys",
            "respond_modes",
            "room_brief",
            "scene_description",
            "stt_provider",
            "thinking_mode",
            "turn_detection_config",
            "vad_params",
            "video_track_name",
            "vision_input_config",
        ),
        "sdk": ("core_service_url", "spawn_agent"),
    },
}


def unused_of(path: str) -> frozenset[str]:
    """The fields of a route that are taken and not used."""
    return frozenset(name for names in UNUSED.get(path, {}).values() for name in names)
