from collections.abc import Callable, Iterator, Mapping

import pytest

from fake_convai import FakeConvai


@pytest.fixture(scope="module")
def museum(
    make_fake_convai: Callable[[Mapping[str, object]], FakeConvai], fake_convai_settings: Mapping[str, object]
) -> Iterator[FakeConvai]:
    """An account that the tests of this module share."""
    account = make_fake_convai(fake_convai_settings)
    account.character("guide", memory=True, listing="public")
    yield account
    account.reset()


def test_the_guide_is_there(museum: FakeConvai) -> None:
    assert [character["character_id"] for character in museum.state()["characters"]] == ["guide"]
