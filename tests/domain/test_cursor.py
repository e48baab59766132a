"""The cursor: opaque, and good for nothing but the list it was made for."""

import base64
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fake_convai.domain.cursor import Cursor, Filters, decode, encode
from fake_convai.domain.errors import Invalid

numbers = st.integers(0, 2**63 - 1)
cursors = st.builds(Cursor, after=numbers, horizon=numbers)
moments = st.none() | st.integers(-(2**62), 2**62)
filters = st.builds(Filters, active_after=moments, active_before=moments)
accounts = st.integers(1, 2**40)
secrets = st.text(string.hexdigits, min_size=1, max_size=64)


@given(cursors, accounts, filters, secrets)
def test_it_is_read_back(cursor: Cursor, account: int, bounds: Filters, secret: str) -> None:
    text = encode(cursor, account_id=account, filters=bounds, secret=secret)
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")
    assert decode(text, account_id=account, filters=bounds, secret=secret) == cursor


@given(cursors, accounts, filters, secrets, accounts, filters, secrets)
def test_it_is_bound_to_its_account_its_filters_and_the_server(
    cursor: Cursor, account: int, bounds: Filters, secret: str, account_2: int, bounds_2: Filters, secret_2: str
) -> None:
    text = encode(cursor, account_id=account, filters=bounds, secret=secret)
    for other in ((account_2, bounds, secret), (account, bounds_2, secret), (account, bounds, secret_2)):
        if other != (account, bounds, secret):
            with pytest.raises(Invalid, match="'cursor'"):
                decode(text, account_id=other[0], filters=other[1], secret=other[2])


def test_the_two_filters_are_not_mistaken_for_each_other() -> None:
    cursor, after, before = Cursor(1, 2), Filters(active_after=5), Filters(active_before=5)
    text = encode(cursor, account_id=1, filters=after, secret="s")
    with pytest.raises(Invalid):
        decode(text, account_id=1, filters=before, secret="s")
    one = encode(cursor, account_id=1, filters=Filters(1, 23), secret="s")
    with pytest.raises(Invalid):
        decode(one, account_id=1, filters=Filters(12, 3), secret="s")
    with pytest.raises(Invalid):
        decode(one, account_id=11, filters=Filters(None, 23), secret="s")


@given(cursors, st.integers(0, 31), st.integers(1, 255))
def test_an_altered_one_is_refused(cursor: Cursor, place: int, change: int) -> None:
    text = encode(cursor, account_id=1, filters=Filters(), secret="s")
    signed = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert len(signed) == 32
    signed[place] ^= change
    altered = base64.urlsafe_b64encode(signed).decode().rstrip("=")
    with pytest.raises(Invalid, match="'cursor'"):
        decode(altered, account_id=1, filters=Filters(), secret="s")


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    assume(len(text) < 43)
    with pytest.raises(Invalid, match="'cursor'"):
        decode(text, account_id=1, filters=Filters(), secret="s")
