"""`import_grid_factors`: a new figure is a new row, and no grid emits nothing."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from catalog.models import GridFactor
from catalog.services import import_grid_factors

pytestmark = pytest.mark.django_db

HEADER = "country_alpha2,name,year,kg_co2e_per_kwh,source,licence"


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def test_countries_and_regions_are_told_apart_by_the_code(tmp_path, capsys):
    path = write(
        tmp_path / "grid.csv",
        "NA,Namibia,2023,0.04762,Ember,CC-BY-4.0",
        "XK,Kosovo,2024,0.95872,Ember,CC-BY-4.0",
        "CF,Central African Republic,2022,0.00000,Ember,CC-BY-4.0",
        ",World,2024,0.47294,Ember,CC-BY-4.0",
    )
    call_command("import_grid_factors", path)
    said = capsys.readouterr().out
    assert "4 factors read, 3 new ones stored." in said
    assert "Left out, because no grid emits nothing: Central African Republic." in said
    assert set(GridFactor.objects.values_list("country", "region")) == {("NA", ""), ("XK", ""), ("", "World")}
    assert import_grid_factors(path).new == 0


def test_a_revised_figure_of_the_same_year_is_a_new_row(tmp_path):
    import_grid_factors(write(tmp_path / "grid.csv", "SE,Sweden,2024,0.03589,Ember,CC-BY-4.0"))
    import_grid_factors(write(tmp_path / "grid.csv", "SE,Sweden,2024,0.04,Ember,CC-BY-4.0"))
    assert list(GridFactor.objects.order_by("id").values_list("kg_co2e_per_kwh", flat=True)) == [
        Decimal("0.03589"),
        Decimal("0.04"),
    ]
    with pytest.raises(IntegrityError), transaction.atomic():
        GridFactor.objects.update(year=2025)


def test_semicolons_and_decimal_commas_are_read(tmp_path):
    path = tmp_path / "grid.csv"
    path.write_text(HEADER.replace(",", ";") + "\nSE;Sweden;2024;0,03589;Ember;CC-BY-4.0\n")
    import_grid_factors(path)
    assert GridFactor.objects.get().kg_co2e_per_kwh == Decimal("0.03589")


def test_every_wrong_row_is_named_and_nothing_is_stored(tmp_path):
    path = write(
        tmp_path / "grid.csv",
        "SE,Sweden,2024,0.03589,Ember,CC-BY-4.0",
        "SWE,Sweden,2023,0.03589,Ember,CC-BY-4.0",
        "NO,Norway,2024,lots,Ember,CC-BY-4.0",
        "FI,Finland,24,0.1,Ember,CC-BY-4.0",
        "DK,Denmark,2024,-0.1,Ember,",
        "SE,Sweden,2024,0.04,Ember,CC-BY-4.0",
        ",,2024,0.04,Ember,CC-BY-4.0",
    )
    with pytest.raises(CommandError) as refused:
        call_command("import_grid_factors", path)
    said = str(refused.value)
    for wrong in (
        "row 2, country_alpha2",
        "row 3, kg_co2e_per_kwh",
        "row 4, year",
        "row 5, kg_co2e_per_kwh",
        "row 5, licence",
        "row 6, name: stands in row 1 already",
        "row 7, name",
    ):
        assert wrong in said
    assert not GridFactor.objects.exists()


def test_another_header_is_refused(tmp_path):
    path = tmp_path / "grid.csv"
    path.write_text("country,kg\nSE,0.1\n")
    with pytest.raises(CommandError, match="no column country_alpha2"):
        call_command("import_grid_factors", path)


def test_a_dry_run_stores_nothing(tmp_path, capsys):
    path = write(tmp_path / "grid.csv", "SE,Sweden,2024,0.03589,Ember,CC-BY-4.0")
    call_command("import_grid_factors", path, "--dry-run")
    assert "1 new ones would be stored." in capsys.readouterr().out
    assert not GridFactor.objects.exists()
