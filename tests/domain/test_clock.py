"""Time: microseconds inside, ISO 8601 in UTC outside."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fake_convai.domain.clock import SECOND, Clock, parse_moment, real_time, to_datetime, to_iso
from fake_convai.domain.errors import Invalid

NEW_YEAR = 1_767_225_600 * SECOND
any_moment = st.integers(-62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NEW_YEAR, "2026-01-01T00:00:00.000000Z"),
        (NEW_YEAR + 1, "2026-01-01T00:00:00.000001Z"),
        (NEW_YEAR + SECOND * 3600 * 13 + 500_000, "2026-01-01T13:00:00.500000Z"),
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_microseconds(moment: int, text: str) -> None:
    assert to_iso(moment) == text
    assert to_datetime(moment) == datetime.fromisoformat(text)
    assert to_datetime(moment).tzinfo is UTC


@given(any_moment)
def test_what_is_written_is_read_back(moment: int) -> None:
    assert parse_moment(to_iso(moment), "at") == moment


@given(any_moment, any_moment)
def test_the_text_sorts_as_time_does(one: int, other: int) -> None:
    assert (to_iso(one) < to_iso(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01", NEW_YEAR),
        (" 2026-01-01\n", NEW_YEAR),
        ("2026-01-01T00:00:00", NEW_YEAR),
        ("2026-01-01 00:00:00", NEW_YEAR),
        ("2026-01-01T00:00:00Z", NEW_YEAR),
        ("2026-01-01T00:00:00+00:00", NEW_YEAR),
        ("2026-01-01T02:00:00+02:00", NEW_YEAR),
        ("2025-12-31T19:00:00.000001-05:00", NEW_YEAR + 1),
        ("2026-01-01T00:00:00.5", NEW_YEAR + 500_000),
        ("1969-12-31T23:59:59.999999", -1),
    ],
)
def test_without_a_time_it_is_midnight_and_without_an_offset_utc(text: str, moment: int) -> None:
    assert parse_moment(text, "at") == moment


@pytest.mark.parametrize(
    "text",
    ["", " ", "now", "2026", "2026-02-30", "2026-01-01T24:30", "12:00", "1767225600", "2026-01-01T00:00:00+25:00", "Z"],
)
def test_what_is_no_date_is_named(text: str) -> None:
    with pytest.raises(Invalid, match="'active_after': send an ISO 8601"):
        parse_moment(text, "active_after")


@given(st.text() | st.from_regex(r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9][+-][0-2][0-9]:[0-5][0-9]\Z"))
@example("0001-01-01T00:00:00+23:59")
@example("9999-12-31T23:59:59-23:59")
def test_any_text_is_a_moment_or_invalid(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert isinstance(parse_moment(text, "at"), int)


def test_an_accounts_clock_follows_real_time_unless_told_otherwise() -> None:
    before = real_time()
    assert before <= Clock().now() <= real_time()
    assert Clock(offset=-SECOND).now() <= real_time() - SECOND
    assert Clock(offset=3600 * SECOND).now() >= before + 3600 * SECOND
    assert Clock(frozen=NEW_YEAR).now() == NEW_YEAR
    assert Clock(frozen=NEW_YEAR, offset=SECOND).now() == Clock(frozen=NEW_YEAR, offset=SECOND).now()
