"""Money and amounts in words: whole minor units, exact grams."""

import pytest

from checkout.formatting import kg_text, money_text, percent_text
from checkout.pricing import vat_minor


@pytest.mark.parametrize(
    ("net_minor", "vat_basis_points", "expected"),
    [(1_000_000, 2500, 250_000), (1, 2500, 0), (2, 2500, 1), (6, 2500, 2), (4_650, 2550, 1_186), (999, 0, 0)],
)
def test_vat_is_rounded_half_up_once_per_line(net_minor: int, vat_basis_points: int, expected: int) -> None:
    assert vat_minor(net_minor=net_minor, vat_basis_points=vat_basis_points) == expected


@pytest.mark.parametrize(
    ("amount_g", "expected"),
    [(508_000, "508"), (386_412, "386.412"), (386_400, "386.4"), (12_345_000, "12\u202f345"), (7, "0.007")],
)
def test_kilograms_are_exact_to_the_gram(amount_g: int, expected: str) -> None:
    assert kg_text(amount_g) == expected


@pytest.mark.parametrize(
    ("minor", "currency", "expected"),
    [
        (940, "EUR", "€9.40"),
        (1_149_000, "SEK", "11\u202f490\u00a0kr"),
        (4_650, "SEK", "46.50\u00a0kr"),
        (123_456, "USD", "$1\u202f234.56"),
        (-500, "EUR", "−€5.00"),
        (1_000, "CHF", "10.00\u00a0CHF"),
        (1_000, "JPY", "¥1\u202f000"),
    ],
)
def test_money_carries_its_currency(minor: int, currency: str, expected: str) -> None:
    assert money_text(minor, currency) == expected


def test_a_rate_is_written_without_needless_zeros() -> None:
    assert [percent_text(points) for points in (2500, 2550, 810, 0)] == ["25", "25.5", "8.1", "0"]
