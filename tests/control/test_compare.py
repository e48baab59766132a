"""Asking why two facts are one, or two."""

import pytest

from tests.conftest import Api


@pytest.mark.parametrize(
    ("existing", "new", "answer"),
    [
        ("The user likes tea.", " The  user likes tea. ", {"same": True, "because": "exact repeat"}),
        ("The user has a dog.", "The user has a cat.", {"same": False, "because": "another value: cat instead of dog"}),
    ],
    ids=["a repeat", "another value"],
)
def test_two_facts_are_compared(api: Api, existing: str, new: str, answer: dict[str, object]) -> None:
    response = api.post("/_fake/compare", {"existing": existing, "new": new})
    assert (response.status_code, response.json()) == (200, answer)


def test_what_cannot_be_compared_is_named(api: Api) -> None:
    response = api.post("/_fake/compare", {"existing": "The user likes tea."})
    assert response.status_code == 400
    assert response.json() == {"ERROR": "Invalid comparison at 'new': Field required."}
