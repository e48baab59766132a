"""Routes that Convai has and the fake does not emulate (docs/contract.md section 11), so that it need not guess."""

NOT_EMULATED = (
    "/tts",
    "/stt",
    "/tts/get_available_voices",
    "/tts/get_available_languages",
    "/v2/voices",
    "/character/narrative/*",
    "/character/knowledge-bank/*",
    "/character/toggle-is-narrative-driven",
    "/character/generate-backstory",
    "/character/generate-starter-conversation",
    "/character/evaluate_conversation",
    "/character/getSupportedModel",
    "/character/chatHistory/get_prompt",
    "/user/downloadAsset",
    "/xp/*",
    "/animations/*",
    "/functions/*",
    "/voice-cloning/*",
    "/assets/*",
    "/project/*",
    "/payments/*",
    "/nlp/*",
    "/llm-models/*",
    "/mcp/*",
)
"""Paths, without a slash at the end; `/*` stands for everything below, and for the path itself."""

STUB_IT = "Convai has this route, the fake does not emulate it: stub it with PUT /_fake/stubs."


def is_known(path: str) -> bool:
    """Whether Convai is known to have a route at the path."""
    return any(
        path == known or (known.endswith("/*") and (path + "/").startswith(known.removesuffix("*")))
        for known in NOT_EMULATED
    )
