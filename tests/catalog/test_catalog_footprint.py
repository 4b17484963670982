"""The footprint's arithmetic: exact values, and what is never invented."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import FootprintUnknown
from catalog.pcf import method
from catalog.pcf.footprint import Component, Footprint, compute_footprint
from catalog.pcf.grid import Grid, Grids, place_of_country, place_of_location
from catalog.pcf.sheet import SheetFigures, split


def grid(key: str, kg: str) -> Grid:
    return Grid(key=key, place=key, kg_per_kwh=Decimal(kg), year=2024, source="Test grid")


GRIDS = Grids(
    countries={"SE": grid("SE", "0.02"), "US": grid("US", "0.4")},
    regions={"World": grid("World", "0.5"), "EU": grid("EU", "0.2"), "Africa": grid("Africa", "0.6")},
)
T490 = SheetFigures(
    total_kg=Decimal(421),
    use_kg=Decimal("42.1"),
    lifetime_years=Decimal(5),
    use_location="EU",
    error_ratio=Decimal("0.2565"),
    source="sheet",
)
E41 = SheetFigures(
    total_kg=Decimal(257),
    manufacturing_kg=Decimal("172.2"),
    transport_kg=Decimal("18.0"),
    use_kg=Decimal("66.8"),
    eol_kg=Decimal(0),
    lifetime_years=Decimal(5),
    use_location="US",
    statistic="mean",
    std_kg=Decimal(46),
    error_ratio=Decimal("0.179"),
)


def footprint(figures: SheetFigures, *, country: str = "SE", years: int = 5, **choice: object) -> Footprint:
    return compute_footprint(
        figures=figures,
        years=years,
        country=country,
        use_place=place_of_country(country, name=country, grids=GRIDS),
        sheet_place=place_of_location(figures.use_location, grids=GRIDS),
        **choice,
    )


def stages(found: Footprint) -> dict[str, Decimal]:
    return {stage.key: stage.kg for stage in found.stages}


def changes(found: Footprint) -> dict[str, Decimal]:
    return {change.key: change.kg for change in found.adjustments}


def test_a_sheet_that_parts_only_use_shows_one_figure_for_all_the_rest():
    found = footprint(T490)
    assert stages(found) == {"not_parted": Decimal("378.9"), "use": Decimal("4.21")}
    assert not found.is_parted
    assert found.boundary == "manufacture-transport-use-eol"
    assert changes(found) == {"country": Decimal("-37.89")}
    assert found.amount_g == 383_110


def test_use_in_the_sheets_own_place_stays_as_printed():
    found = footprint(replace(T490, use_location="US"), country="US")
    assert stages(found) == {"not_parted": Decimal("378.9"), "use": Decimal("42.1")}
    assert found.adjustments == ()
    assert not any(stage.estimate for stage in found.stages)
    assert found.amount_g == 421_000


def test_a_sheet_that_parts_every_stage_leaves_end_of_life_out_and_says_so():
    found = footprint(E41, country="US")
    assert stages(found) == {
        "manufacture": Decimal("172.2"),
        "transport": Decimal("18.0"),
        "use": Decimal("66.8"),
    }
    assert found.boundary == "manufacture-transport-use"
    assert found.amount_g == 257_000


def test_a_parted_end_of_life_is_not_paid_for():
    found = footprint(replace(E41, manufacturing_kg=Decimal("162.2"), eol_kg=Decimal(10)), country="US")
    assert "eol" not in stages(found)
    assert found.amount_g == 247_000
    assert found.sheet_total_kg == Decimal(257)


def test_without_an_end_of_life_figure_what_is_left_of_the_total_stays_unparted():
    found = footprint(replace(E41, manufacturing_kg=Decimal("170.2"), eol_kg=None), country="US")
    assert stages(found) == {
        "manufacture": Decimal("170.2"),
        "transport": Decimal("18.0"),
        "not_parted": Decimal("2.0"),
        "use": Decimal("66.8"),
    }
    assert found.boundary == "manufacture-transport-use-eol"


def test_stages_that_miss_the_total_by_more_than_two_per_cent_are_never_drawn():
    found = footprint(replace(E41, manufacturing_kg=Decimal(150)), country="US")
    assert stages(found) == {"not_parted": Decimal("190.2"), "use": Decimal("66.8")}


def test_rounding_of_the_shares_is_spread_so_that_the_stages_make_up_the_total():
    figures = replace(E41, manufacturing_kg=Decimal("174.2"))  # 2 kg too much
    parted = split(figures)
    assert parted is not None
    assert parted.manufacture_kg + parted.transport_kg == Decimal("190.2")
    assert parted.rest_kg == 0


def test_one_year_of_a_three_year_sheet_is_a_third_of_its_use():
    figures = replace(T490, use_kg=Decimal(54), lifetime_years=Decimal(3), use_location="US")
    assert stages(footprint(figures, country="US", years=1))["use"] == 18
    assert stages(footprint(figures, country="US", years=5))["use"] == 90
    found = footprint(figures, country="US", years=5)
    assert changes(found) == {"years": Decimal(36)}
    assert found.adjustments[0].label == "5 years of use instead of 3: our estimate, in proportion"
    assert found.amount_g == 457_000


def test_without_a_place_of_use_energy_counts_and_the_label_says_so():
    figures = replace(T490, use_location="", tec_kwh_per_year=Decimal(20))
    found = footprint(figures)
    assert stages(found)["use"] == Decimal("2.00")  # 20 kWh x 5 years x 0.02
    assert found.adjustments[0].label == "Electricity of SE, from the stated energy use a year: our estimate"
    assert "World" not in found.grid_note


def test_without_a_place_of_use_and_without_energy_the_world_average_stands_in_and_is_named():
    found = footprint(replace(T490, use_location=" "))
    assert stages(found)["use"] == Decimal("1.684")  # 42.1 x 0.02 / 0.5
    assert "the sheet names no place of use, so the world average is taken" in found.grid_note


def test_a_country_without_a_factor_takes_its_regions_and_says_so():
    place = place_of_country("CF", name="Central African Republic", grids=GRIDS)
    assert place.grid.key == "Africa"
    assert place.note == "no factor is published for Central African Republic, so that of Africa stands in"
    assert place_of_country("AQ", name="Antarctica", grids=GRIDS).grid.key == "World"
    assert place_of_country("TL", name="Timor-Leste", grids=GRIDS).grid.key == "World"  # no row for Asia here


@pytest.mark.parametrize(
    ("printed", "key"),
    [("EU", "EU"), ("WW", "World"), ("Worldwide", "World"), ("US", "US"), ("se", "SE"), ("Narnia", "World")],
)
def test_places_of_use_are_read_as_sheets_print_them(printed, key):
    place = place_of_location(printed, grids=GRIDS)
    assert place.grid.key == key
    assert bool(place.note) == (printed == "Narnia")


def test_64_gb_instead_of_16_adds_84_9_kg_and_2_tb_instead_of_512_gb_61_6_kg():
    found = footprint(
        T490, components=[Component("memory", 64, 16, False), Component("storage", 2048, 512, True)]
    )
    memory, storage = found.adjustments[:2]
    assert round(memory.kg, 1) == Decimal("84.9")
    assert round(storage.kg, 1) == Decimal("61.6")
    assert memory.label == "Memory 64 GB instead of 16 GB: our estimate"
    assert storage.label.endswith(
        "the maker does not state what the assessed device had, so it is counted from the default"
    )
    assert memory.source == storage.source == method.COMPONENT_SOURCE
    assert round(stages(found)["not_parted"], 1) == Decimal("525.3")
    assert [stage.estimate for stage in found.stages] == [True, True]


def test_options_change_manufacture_where_it_is_parted():
    found = footprint(E41, country="US", components=[Component("memory", 16, 8, False)])
    assert stages(found)["transport"] == 18
    assert round(stages(found)["manufacture"], 4) == Decimal("186.3434")  # 172.2 + 2.2 x 8 / 1.2444


def test_options_can_never_take_away_more_than_there_is():
    tiny = replace(T490, total_kg=Decimal(50))
    with pytest.raises(FootprintUnknown):
        footprint(tiny, components=[Component("memory", 8, 64, False)])


@pytest.mark.parametrize("missing", ["use_kg", "lifetime_years"])
def test_without_use_or_lifetime_there_is_no_footprint(missing):
    with pytest.raises(FootprintUnknown):
        footprint(replace(T490, **{missing: None}, tec_kwh_per_year=Decimal(20)))


def test_statistic_and_error_are_passed_on_and_never_mixed():
    assert footprint(E41).statistic == "mean"
    assert footprint(E41).error_meaning == "one standard deviation"
    assert footprint(T490).statistic == "unknown"
    assert footprint(T490).error_ratio == Decimal("0.2565")
    assert footprint(T490).error_meaning == "the source does not say what this error means"


def test_an_error_printed_as_zero_is_no_error_at_all():
    found = footprint(replace(T490, error_ratio=Decimal("0.0000")))
    assert found.error_ratio is None
    assert found.error_meaning == ""


def test_grams_are_rounded_up_once():
    figures = replace(T490, total_kg=Decimal("100.0001"), use_kg=Decimal(0), use_location="US")
    assert footprint(figures, country="US").amount_g == 100_001
    assert footprint(replace(figures, total_kg=Decimal(100)), country="US").amount_g == 100_000


kilograms = st.decimals(min_value="0.0001", max_value="30000", places=4)


@given(
    total=kilograms,
    share=st.decimals(min_value=0, max_value=1, places=4),
    lifetime=st.sampled_from(["1.5", "2", "3", "3.5", "4", "5", "6", "10"]),
    years=st.integers(1, 5),
    country=st.sampled_from(["SE", "US", "CF"]),
    location=st.sampled_from(["EU", "US", "WW", "", "Asia"]),
    tec=st.none() | kilograms,
    memory=st.sampled_from([8, 16, 32, 64]),
)
def test_sheet_and_changes_add_up_to_the_total_and_json_keeps_every_digit(
    total, share, lifetime, years, country, location, tec, memory
):
    figures = SheetFigures(
        total_kg=total,
        use_kg=total * share,
        lifetime_years=Decimal(lifetime),
        use_location=location,
        tec_kwh_per_year=tec,
    )
    found = footprint(
        figures, country=country, years=years, components=[Component("memory", memory, 8, True)]
    )
    added = total + sum(changes(found).values())
    assert abs(found.total_kg - added) < Decimal("1e-15")
    assert found.use_kg + found.non_use_kg == found.total_kg
    assert 0 <= found.amount_g - found.total_kg * 1000 < 1
    assert Footprint.from_json(json.loads(json.dumps(found.as_json()))) == found


@given(
    total=st.decimals(min_value=1, max_value=30000, places=2),
    shares=st.lists(st.integers(0, 100), min_size=4, max_size=4),
)
def test_a_split_is_drawn_only_when_it_makes_up_the_total(total, shares):
    made, shipped, used, ended = (total * share / 100 for share in shares)
    parted = split(
        SheetFigures(total_kg=total, manufacturing_kg=made, transport_kg=shipped, use_kg=used, eol_kg=ended)
    )
    if parted is None:
        assert not 98 <= sum(shares) <= 102 or sum(shares) == shares[2]
    else:
        assert 98 <= sum(shares) <= 102
        whole = parted.manufacture_kg + parted.transport_kg + (parted.eol_kg or 0) + parted.rest_kg + used
        assert abs(whole - total) < Decimal("1e-15")
