import pytest


@pytest.fixture(scope="session")
def fake_convai_settings() -> dict[str, object]:
    """The fake of these tests is on the free plan."""
    return {"plan": "free", "max_sessions": 1}
