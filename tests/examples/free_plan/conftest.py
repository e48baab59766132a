import pytest


@pytest.fixture(scope="session")
def fake_convai_settings() -> dict[str, str]:
    """The fake of these tests is on the free plan."""
    return {"plan": "free"}
