"""Who reads which register."""

import pytest

from claims.registers import Audience, Register, UnknownRegister, choose_register, register_from


def test_a_consumer_in_the_eu_reads_register_a() -> None:
    assert choose_register(consumer_register="A", company_register="B", audience="consumer") is Register.A


def test_a_verified_company_in_sweden_reads_register_b() -> None:
    register = choose_register(consumer_register="A", company_register="B", audience=Audience.COMPANY)
    assert register is Register.B


def test_a_verified_company_in_germany_reads_register_a_while_the_switch_is_off() -> None:
    assert choose_register(consumer_register="A", company_register="A", audience="company") is Register.A


@pytest.mark.parametrize("audience", list(Audience))
def test_a_buyer_in_the_uk_reads_the_qualified_register_whoever_it_is(audience: Audience) -> None:
    register = choose_register(consumer_register="CQ", company_register="CQ", audience=audience)
    assert register is Register.C_QUALIFIED


@pytest.mark.parametrize("audience", list(Audience))
def test_no_market_gives_consumers_the_words_of_companies(audience: Audience) -> None:
    with pytest.raises(UnknownRegister, match="verified companies"):
        choose_register(consumer_register="B", company_register="B", audience=audience)


@pytest.mark.parametrize("audience", ["", "Company", "business", "staff"])
def test_an_unknown_audience_is_refused_and_never_taken_for_a_company(audience: str) -> None:
    with pytest.raises(UnknownRegister, match="choose consumer or company"):
        choose_register(consumer_register="A", company_register="B", audience=audience)


@pytest.mark.parametrize("code", ["", "a", "D", "C_QUALIFIED"])
def test_an_unknown_register_is_refused_with_the_list_of_known_ones(code: str) -> None:
    with pytest.raises(UnknownRegister, match="A, B, C, CQ"):
        register_from(code)
