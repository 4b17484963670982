"""Days and numbers as each language writes them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.formats import day_text, number_text, sheet_date_text
from claims.languages import languages

EVERY_LANGUAGE = sorted(languages())


@pytest.mark.parametrize(
    ("language", "day", "first"),
    [
        ("en", "24 November 2026", "1 March 2026"),
        ("de", "24. November 2026", "1. März 2026"),
        ("sv", "24 november 2026", "1 mars 2026"),
        ("fr", "24 novembre 2026", "1er mars 2026"),
        ("es", "24 de noviembre de 2026", "1 de marzo de 2026"),
        ("de-AT", "24. November 2026", "1. März 2026"),
        ("nl", "24 November 2026", "1 March 2026"),
    ],
)
def test_a_day_is_written_as_the_language_writes_it(language: str, day: str, first: str) -> None:
    assert day_text("2026-11-24", language=language) == day
    assert day_text("2026-11-24T23:59:59+00:00", language=language) == day
    assert day_text("2026-03-01", language=language) == first


@pytest.mark.parametrize("text", ["", "2026-13-01", "yesterday", "2026-02-30", "24.11.2026"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|out of range|month|day"):
        day_text(text, language="de")


@pytest.mark.parametrize(
    ("printed", "language", "text"),
    [
        ("February 2019", "en", "February 2019"),
        ("February 2019", "de", "Februar 2019"),
        ("February 2019", "sv", "februari 2019"),
        ("February 2019", "fr", "février 2019"),
        ("February 2019", "es", "febrero de 2019"),
        ("June 6 2022", "de", "6. Juni 2022"),
        ("January 17 2023", "en", "17 January 2023"),
        ("2021-08-20", "fr", "20 août 2021"),
        ("2022-09", "es", "septiembre de 2022"),
        ("2020", "de", "2020"),
        ("2022-2-6", "de", "2022-2-6"),
        ("February 31 2019", "de", "February 31 2019"),
        ("Q3 2020", "sv", "Q3 2020"),
        ("", "de", ""),
    ],
)
def test_a_sheets_date_is_translated_where_it_reads_and_else_stays_as_printed(
    printed: str, language: str, text: str
) -> None:
    assert sheet_date_text(printed, language=language) == text


@pytest.mark.parametrize(
    ("number", "language", "text"),
    [
        ("385.412", "en", "385.412"),
        ("385.412", "de", "385,412"),
        ("1\u202f385.5", "sv", "1\u202f385,5"),
        ("0.508 + 1.2", "fr", "0,508 + 1,2"),
        ("−34.5", "es", "−34,5"),
        ("508", "de", "508"),
        ("508.", "de", "508."),
    ],
)
def test_a_number_gets_the_languages_decimal_mark(number: str, language: str, text: str) -> None:
    assert number_text(number, language=language) == text


@given(day=st.dates(date(1990, 1, 1), date(2200, 12, 31)), language=st.sampled_from(EVERY_LANGUAGE))
def test_every_day_reads_apart_from_every_other_day(day: date, language: str) -> None:
    text = day_text(day.isoformat(), language=language)
    assert str(day.year) in text
    assert "{" not in text
    other = date.fromordinal(day.toordinal() + 1)
    assert day_text(other.isoformat(), language=language) != text
