"""`import_pcf`: every pitfall of real files, on small ones."""

import csv
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from catalog.models import PcfSheet
from catalog.services import REPORT_COLUMNS, import_pcf
from common.errors import Conflict
from tests.factories.catalog import BOAVIZTA_HEADER, ProductFactory, boavizta_row, write_boavizta

pytestmark = pytest.mark.django_db

OWN_HEADER = (
    "manufacturer,name,category,subcategory,report_date,total_kg,statistic,std_kg,manufacturing_kg,transport_kg,"
    "use_kg,eol_kg,lifetime_years,use_location,tec_kwh_per_year,weight_kg,screen_inch,configuration,source,"
    "source_kind,licence,note"
)


def report_of(tmp_path: Path, *rows: str) -> list[dict[str, str]]:
    """Import these rows in Boavizta's format; the lines of the report."""
    out = tmp_path / "report.csv"
    import_pcf(write_boavizta(tmp_path / "in.csv", *rows), report=out)
    with out.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write_own(path: Path, *rows: dict[str, str]) -> Path:
    """A file in our own format."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, OWN_HEADER.split(","), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_report_says_what_follows_from_a_row(tmp_path):
    [line] = report_of(tmp_path, boavizta_row())
    assert line == {
        "row": "1",
        "manufacturer": "Lenovo",
        "name": "ThinkPad T490",
        "verdict": "accepted",
        "reasons": "",
        "non_use_kg": "378.9000",
        "use_kg_per_year": "8.4200",
        "five_year_use_kg": "42.1000",
        "five_year_total_kg": "421.0000",
    }
    assert (tmp_path / "report.csv").read_text().splitlines()[0] == ",".join(REPORT_COLUMNS)
    sheet = PcfSheet.objects.get()
    assert (sheet.total_kg, sheet.use_kg, sheet.version) == (421, Decimal("42.1"), 1)
    assert sheet.manufacturing_kg is None
    assert sheet.statistic == "unknown"
    assert "made available under the ODbL" in sheet.licence
    assert sheet.report_year == 2019


def test_a_three_year_use_is_divided_by_three_before_it_is_multiplied_by_five(tmp_path):
    [line] = report_of(tmp_path, boavizta_row(gwp_total="342", gwp_use_ratio="0.16", lifetime="3"))
    assert line["use_kg_per_year"] == "18.2400"
    assert line["five_year_use_kg"] == "91.2000"
    assert line["five_year_total_kg"] == "378.4800"


@pytest.mark.parametrize(
    ("cells", "reason", "non_use"),
    [
        ({"lifetime": ""}, "no_lifetime", "378.9000"),
        ({"gwp_use_ratio": "", "yearly_tec": "23.4"}, "no_use_ratio", ""),
        ({"lifetime": "0"}, "no_lifetime;lifetime_years_out_of_range", "378.9000"),
        ({"lifetime": "five"}, "no_lifetime;lifetime_years_not_a_number", "378.9000"),
    ],
)
def test_a_row_without_lifetime_or_use_is_kept_and_not_offered(tmp_path, cells, reason, non_use):
    [line] = report_of(tmp_path, boavizta_row(**cells))
    assert line["verdict"] == "incomplete"
    assert line["reasons"] == reason
    assert line["non_use_kg"] == non_use
    assert line["use_kg_per_year"] == line["five_year_use_kg"] == line["five_year_total_kg"] == ""
    assert PcfSheet.objects.count() == 1


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"gwp_manufacturing_ratio": "7.76"}, "manufacturing_ratio_out_of_range"),
        ({"gwp_use_ratio": "1.01"}, "use_ratio_out_of_range"),
        ({"gwp_transport_ratio": "-0.01"}, "transport_ratio_out_of_range"),
        ({"gwp_eol_ratio": "2"}, "eol_ratio_out_of_range"),
        ({"gwp_total": ""}, "no_total"),
        ({"gwp_total": "NaN"}, "no_total;total_kg_not_a_number"),
        ({"gwp_total": "0"}, "total_not_positive"),
        ({"gwp_total": "-421"}, "total_not_positive"),
        ({"gwp_total": "10000000"}, "total_too_large"),
        ({"name": ""}, "no_name"),
        ({"name": "x" * 201}, "name_too_long"),
    ],
)
def test_a_row_that_cannot_be_true_is_rejected_and_stores_nothing(tmp_path, cells, reason):
    good = boavizta_row(name="ThinkPad X390")
    rejected, accepted = report_of(tmp_path, boavizta_row(**cells), good)
    assert rejected["verdict"] == "rejected"
    assert rejected["reasons"] == reason
    assert rejected["non_use_kg"] == rejected["five_year_total_kg"] == ""
    assert accepted["verdict"] == "accepted"
    assert [sheet.name for sheet in PcfSheet.objects.all()] == ["ThinkPad X390"]


def test_a_row_with_more_cells_than_columns_is_rejected(tmp_path):
    [line] = report_of(tmp_path, boavizta_row() + ",shifted")
    assert (line["verdict"], line["reasons"]) == ("rejected", "too_many_cells")
    assert not PcfSheet.objects.exists()


def test_an_error_ratio_outside_0_to_1_is_kept_as_printed(tmp_path):
    [line] = report_of(tmp_path, boavizta_row(gwp_error_ratio="3.2796"))
    assert (line["verdict"], line["reasons"]) == ("accepted", "error_ratio_out_of_range")
    assert PcfSheet.objects.get().error_ratio == Decimal("3.2796")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"name": "ThinkPad T490.ThinkPad P43s"}, "several_models"),
        ({"name": "ThinkPad P1/ThinkPad X1 Extreme"}, "several_models"),
        ({"name": "ThinkPad T560. P50s"}, "several_models"),
        ({"name": "IdeaCentre_A540-27 AIO"}, "name_has_underscore"),
        ({"weight": "15.6"}, "weight_implausible"),
        ({"weight": "1.4", "screen_size": "1.4"}, "weight_implausible"),
        ({"name": "ThinkPad 8", "screen_size": "12.1"}, "screen_differs_from_name"),
        ({"screen_size": "0"}, "screen_implausible"),
        ({"report_date": "soon"}, "report_date_not_understood"),
        ({"report_date": ""}, "no_report_date"),
        ({"use_location": ""}, "no_use_location"),
        ({"use_location": "Narnia"}, "use_location_not_understood"),
        ({"sources": ""}, "no_source"),
        ({"manufacturer": ""}, "no_manufacturer"),
        ({"gwp_error_ratio": "0.0000"}, "error_ratio_zero"),
        ({"weight": "light"}, "weight_kg_not_a_number"),
        ({"yearly_tec": "-3"}, "tec_kwh_per_year_out_of_range"),
        ({"yearly_tec": "1", "gwp_use_ratio": "0.9"}, "use_more_than_electricity"),
    ],
)
def test_findings_are_named_and_change_no_verdict(tmp_path, cells, reason):
    [line] = report_of(tmp_path, boavizta_row(**cells))
    assert (line["verdict"], line["reasons"]) == ("accepted", reason)
    assert PcfSheet.objects.get().flags == [reason]


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("13-inch MacBook Pro (1.4GHz) 256GB - 2020", ""),
        ("24-inch iMac with 4.5K display", ""),
        ("iPad Pro 12", ""),
    ],
)
def test_a_decimal_point_in_a_name_joins_no_models(tmp_path, name, reasons):
    [line] = report_of(tmp_path, boavizta_row(name=name))
    assert line["reasons"] == reasons


def test_literal_escapes_in_a_name_are_decoded(tmp_path):
    [line] = report_of(tmp_path, boavizta_row(name=r"Legion 5 15\xe2\x80\x9d"))
    assert line["name"] == "Legion 5 15”"
    assert line["reasons"] == "name_escapes_decoded"


def test_zero_for_shipping_and_end_of_life_means_unknown_where_the_shares_fall_short(tmp_path):
    dell = boavizta_row(
        gwp_manufacturing_ratio="0.71", gwp_use_ratio="0.187", gwp_transport_ratio="0", gwp_eol_ratio="0"
    )
    [line] = report_of(tmp_path, dell)
    assert (line["verdict"], line["reasons"]) == ("accepted", "zero_means_unknown")
    sheet = PcfSheet.objects.get()
    assert (sheet.transport_kg, sheet.eol_kg) == (None, None)


def test_zero_stands_where_the_shares_make_up_the_whole(tmp_path):
    [line] = report_of(
        tmp_path,
        boavizta_row(
            gwp_manufacturing_ratio="0.71",
            gwp_use_ratio="0.22",
            gwp_transport_ratio="0.07",
            gwp_eol_ratio="0",
        ),
    )
    assert line["reasons"] == ""
    assert PcfSheet.objects.get().eol_kg == 0


def test_shares_that_do_not_add_up_are_stored_and_flagged(tmp_path):
    fairphone = boavizta_row(
        gwp_manufacturing_ratio="0.8", gwp_use_ratio="0.2", gwp_transport_ratio="0.06", gwp_eol_ratio="0.014"
    )
    [line] = report_of(tmp_path, fairphone)
    assert line["reasons"] == "stages_do_not_add_up"
    assert PcfSheet.objects.get().manufacturing_kg == Decimal("336.8")


def test_shares_above_the_whole_do_not_add_up_though_one_is_missing(tmp_path):
    [line] = report_of(tmp_path, boavizta_row(gwp_manufacturing_ratio="0.95"))
    assert line["reasons"] == "stages_do_not_add_up"
    [line] = report_of(tmp_path, boavizta_row(gwp_manufacturing_ratio="0.5"))
    assert line["reasons"] == ""


def test_the_same_figures_under_two_names_are_named(tmp_path):
    _first, second = report_of(tmp_path, boavizta_row(), boavizta_row(name="ThinkPad P43s"))
    assert second["reasons"] == "same_figures_as_row_1"
    assert PcfSheet.objects.count() == 2


def test_importing_twice_changes_nothing(tmp_path):
    path = write_boavizta(tmp_path / "in.csv", boavizta_row(), boavizta_row(name="ThinkPad X390"))
    import_pcf(path)
    before = list(PcfSheet.objects.values())
    again = import_pcf(path)
    assert (again.new_sheets, again.new_versions, again.unchanged) == (0, 0, 2)
    assert list(PcfSheet.objects.values()) == before


def test_new_figures_are_a_new_version_and_products_follow_it(tmp_path):
    import_pcf(write_boavizta(tmp_path / "old.csv", boavizta_row()))
    old = PcfSheet.objects.get()
    product = ProductFactory(sheet=old)
    other = ProductFactory()
    done = import_pcf(write_boavizta(tmp_path / "new.csv", boavizta_row(gwp_total="400")))
    assert (done.new_sheets, done.new_versions, done.moved_products) == (0, 1, 1)
    new = PcfSheet.objects.get(supersedes=old)
    assert (new.version, new.lineage, new.total_kg) == (2, old.lineage, 400)
    old.refresh_from_db()
    assert old.total_kg == 421  # what an order was priced on stays
    product.refresh_from_db()
    assert product.sheet == new
    assert other.sheet.lineage != new.lineage


def test_an_old_file_does_not_bring_old_figures_back(tmp_path):
    old = write_boavizta(tmp_path / "old.csv", boavizta_row())
    import_pcf(old)
    import_pcf(write_boavizta(tmp_path / "new.csv", boavizta_row(gwp_total="400")))
    assert import_pcf(old).unchanged == 1
    assert PcfSheet.objects.count() == 2


def test_a_sheet_of_a_later_date_continues_the_models_only_sheet(tmp_path):
    import_pcf(write_boavizta(tmp_path / "old.csv", boavizta_row()))
    import_pcf(
        write_boavizta(
            tmp_path / "new.csv", boavizta_row(gwp_total="400", report_date="May 2020", sources="new")
        )
    )
    assert list(PcfSheet.objects.order_by("version").values_list("version", "total_kg")) == [
        (1, 421),
        (2, 400),
    ]
    assert PcfSheet.objects.values("lineage").distinct().count() == 1


def test_a_later_sheet_of_a_model_known_twice_follows_neither(tmp_path):
    both = [boavizta_row(sources="one"), boavizta_row(sources="two", gwp_total="430")]
    import_pcf(write_boavizta(tmp_path / "in.csv", *both))
    third = boavizta_row(sources="three", gwp_total="400")
    assert import_pcf(write_boavizta(tmp_path / "later.csv", third)).new_sheets == 1
    assert not PcfSheet.objects.filter(version__gt=1).exists()


def test_a_second_sheet_beside_the_known_one_does_not_follow_it(tmp_path):
    import_pcf(write_boavizta(tmp_path / "in.csv", boavizta_row()))
    done = import_pcf(
        write_boavizta(tmp_path / "in2.csv", boavizta_row(), boavizta_row(sources="two", gwp_total="430"))
    )
    assert (done.new_sheets, done.new_versions, done.unchanged) == (1, 0, 1)
    pair = [boavizta_row(sources=source, gwp_total="300", name="ThinkPad X390") for source in ("a", "b")]
    import_pcf(write_boavizta(tmp_path / "in3.csv", pair[0]))
    done = import_pcf(
        write_boavizta(
            tmp_path / "in4.csv", pair[1], boavizta_row(sources="c", gwp_total="301", name="ThinkPad X390")
        )
    )
    assert (done.new_sheets, done.new_versions) == (2, 0)


def test_two_sheets_of_one_name_never_follow_each_other(tmp_path):
    watches = [
        boavizta_row(name="Watch", sources=f"https://sheets.example/{n}.pdf", gwp_total=str(30 + n))
        for n in (1, 2)
    ]
    import_pcf(write_boavizta(tmp_path / "in.csv", *watches))
    assert set(PcfSheet.objects.values_list("version", "supersedes")) == {(1, None)}
    changed = [watches[0], boavizta_row(name="Watch", sources="https://sheets.example/2.pdf", gwp_total="40")]
    done = import_pcf(write_boavizta(tmp_path / "in2.csv", *changed))
    assert (done.new_versions, done.unchanged) == (1, 1)
    assert PcfSheet.objects.get(version=2).supersedes.total_kg == 32


def test_two_figures_for_one_sheet_in_one_file_stay_apart_and_are_flagged(tmp_path):
    first, second, third = report_of(tmp_path, boavizta_row(), boavizta_row(gwp_total="400"), boavizta_row())
    assert (first["reasons"], second["reasons"]) == ("", "other_figures_than_row_1")
    assert third["reasons"] == "repeats_row_1"
    assert set(PcfSheet.objects.values_list("version", "total_kg")) == {(1, 421), (1, 400)}
    assert import_pcf(tmp_path / "in.csv").unchanged == 3


def test_an_older_file_with_fewer_columns_takes_nothing_away(tmp_path):
    import_pcf(write_boavizta(tmp_path / "in.csv", boavizta_row(gwp_transport_ratio="0.05")))
    path = tmp_path / "older.csv"
    path.write_text(
        "name,gwp_total,manufacturer,gwp_use_ratio,lifetime,report_date,sources\n"
        "ThinkPad T490,421,Lenovo,0.1,5,February 2019,https://sheets.example/t490.pdf\n"
    )
    assert import_pcf(path).unchanged == 1
    assert PcfSheet.objects.count() == 1


def test_semicolons_decimal_commas_and_a_byte_order_mark_give_the_same_report(tmp_path):
    rows = [
        boavizta_row(),
        boavizta_row(name="13-inch MacBook Air (1.1GHz) 256GB", manufacturer="Apple", gwp_total="174.5"),
    ]
    us = report_of(tmp_path, *rows)
    french = [BOAVIZTA_HEADER.replace(",", ";")]
    french += [
        row.replace(",", ";").replace(";0.", ";0,").replace("174.5", "174,5").replace("1.1G", "1,1G")
        for row in rows
    ]
    path = tmp_path / "fr.csv"
    path.write_bytes(("\r\n".join(french) + "\r\n").encode("utf-8-sig"))
    again = import_pcf(path, report=tmp_path / "fr-report.csv")
    assert (tmp_path / "fr-report.csv").read_bytes() == (tmp_path / "report.csv").read_bytes()
    assert again.unchanged == 2
    assert us[1]["name"] == "13-inch MacBook Air (1.1GHz) 256GB"


def test_columns_in_another_order_and_unknown_ones_are_read(tmp_path):
    path = tmp_path / "later-year.csv"
    path.write_text(
        "gwp_total,colour,Name , manufacturer,gwp_use_ratio,lifetime\n"
        "421,black,ThinkPad T490,Lenovo,0.1,5\n\n"
    )
    done = import_pcf(path)
    assert (done.rows, done.verdicts["accepted"], done.unused_columns) == (1, 1, ["colour"])
    assert done.missing_columns == []


def test_a_file_without_the_column_of_lifetimes_says_that_no_row_can_be_accepted(tmp_path, capsys):
    path = tmp_path / "short.csv"
    path.write_text("manufacturer,name,gwp_total,gwp_use_ratio,life_time\nLenovo,ThinkPad T490,421,0.1,5\n")
    call_command("import_pcf", path)
    said = capsys.readouterr().out
    assert "The file has no column lifetime: no row can be accepted." in said
    assert "Columns not read: life_time." in said


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_store_each_sheet_once(tmp_path):
    path = write_boavizta(tmp_path / "in.csv", *(boavizta_row(name=f"ThinkPad {n}") for n in range(200)))
    together = threading.Barrier(2)

    def import_it() -> str:
        try:
            together.wait(timeout=10)
            return f"{import_pcf(path).new_sheets} new"
        except Conflict as conflict:
            return conflict.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        outcomes = sorted(future.result() for future in [threads.submit(import_it) for _n in range(2)])
    assert outcomes in (["0 new", "200 new"], ["200 new", "conflict"])
    assert PcfSheet.objects.count() == 200


def test_our_own_format_keeps_statistics_and_configurations_apart(tmp_path):
    p1 = {"manufacturer": "Lenovo", "name": "ThinkPad P1 Gen 3", "report_date": "2020", "source": "note"}
    path = write_own(
        tmp_path / "own.csv",
        p1 | {"total_kg": "533", "statistic": "mean", "std_kg": "101"},
        p1 | {"total_kg": "699", "statistic": "95th percentile"},
        p1 | {"total_kg": "700", "statistic": "95th percentile", "configuration": "64 GB"},
        p1 | {"total_kg": "", "statistic": "mean", "tec_kwh_per_year": "18.4"},
        {"manufacturer": "Lenovo", "name": "E41-45", "report_date": "2020-03-17", "total_kg": "257",
         "statistic": "mean", "std_kg": "46", "manufacturing_kg": "172.2", "transport_kg": "18.0",
         "use_kg": "66.8", "lifetime_years": "5", "use_location": "US", "source": "sheet"},
        {"manufacturer": "Dell", "name": "X", "total_kg": "100", "use_kg": "101", "statistic": "guess"},
    )  # fmt: skip
    out = tmp_path / "report.csv"
    done = import_pcf(path, report=out)
    assert done.verdicts == {"incomplete": 3, "rejected": 2, "accepted": 1}
    assert out.read_text().splitlines()[5] == "5,Lenovo,E41-45,accepted,,190.2000,13.3600,66.8000,257.0000"
    assert out.read_text().splitlines()[6].startswith("6,Dell,X,rejected,use_ratio_out_of_range")
    assert set(PcfSheet.objects.filter(name="ThinkPad P1 Gen 3").values_list("statistic", "version")) == {
        ("mean", 1),
        ("p95", 1),
    }
    e41 = PcfSheet.objects.get(name="E41-45")
    assert (e41.error_ratio, e41.std_kg, e41.manufacturing_kg) == (Decimal("0.178988"), 46, Decimal("172.2"))
    assert import_pcf(path).unchanged == 4


def test_a_reference_makes_the_next_row_of_that_name_a_version(tmp_path):
    header = "reference,manufacturer,name,total_kg,use_kg,lifetime_years,source\n"
    for number, name in enumerate(["T490", "T490 (corrected)"]):
        path = tmp_path / f"{number}.csv"
        path.write_text(header + f"lenovo-t490,Lenovo,{name},{400 + number},40,5,sheet\n")
        import_pcf(path)
    assert list(PcfSheet.objects.order_by("version").values_list("lineage", "version", "name")) == [
        ("lenovo-t490", 1, "T490"),
        ("lenovo-t490", 2, "T490 (corrected)"),
    ]


def test_a_dry_run_reports_and_stores_nothing(tmp_path, capsys):
    path = write_boavizta(tmp_path / "in.csv", boavizta_row(), boavizta_row(name=""))
    call_command("import_pcf", path, "--dry-run", "--report", tmp_path / "out.csv")
    said = capsys.readouterr().out
    assert "2 rows: 1 accepted, 0 incomplete, 1 rejected." in said
    assert "1 new sheets and 0 new versions would be stored" in said
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 3
    assert not PcfSheet.objects.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,b\n1,2\n", "needs either gwp_total"),
        (b"gwp_total,total_kg,manufacturer,name\n", "needs either gwp_total"),
        (b"gwp_total,manufacturer\n", "no column name"),
        (b"gwp_total,manufacturer,name,name\n", "names name twice"),
        (b"gwp_total,manufacturer,name\n1,L\xe9novo,x\n", "not UTF-8"),
        ("gwp_total,manufacturer,name\n".encode("utf-16"), "not UTF-8"),
        (b'gwp_total,manufacturer,name\n1,"Lenovo,x\n', "cannot be read as CSV at line"),
    ],
)
def test_a_file_that_is_something_else_is_refused_whole(tmp_path, content, message):
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        call_command("import_pcf", path, "--report", tmp_path / "out.csv")
    assert not PcfSheet.objects.exists()
    assert not (tmp_path / "out.csv").exists()


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path):
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("import_pcf", path)


def test_a_report_that_cannot_be_written_stores_nothing(tmp_path):
    path = write_boavizta(tmp_path / "in.csv", boavizta_row())
    with pytest.raises(CommandError, match="Nothing was stored"):
        call_command("import_pcf", path, "--report", tmp_path / "no-such-folder" / "out.csv")
    assert not PcfSheet.objects.exists()


def test_one_bad_row_of_ten_thousand_costs_only_itself(tmp_path):
    rows = [boavizta_row(name=f"ThinkPad {n}") for n in range(10_000)]
    rows[7_000] = boavizta_row(name="ThinkPad 7000", gwp_use_ratio="1.5")
    done = import_pcf(write_boavizta(tmp_path / "in.csv", *rows))
    assert done.verdicts == {"accepted": 9_999, "rejected": 1}
    assert PcfSheet.objects.count() == 9_999


def test_statements_do_not_grow_with_rows_but_for_insert_batches(tmp_path):
    def statements(count: int, prefix: str) -> int:
        rows = [boavizta_row(name=f"{prefix} {n}") for n in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as seen:
            import_pcf(write_boavizta(tmp_path / "in.csv", *rows))
        return len([q for q in seen.captured_queries if not q["sql"].startswith("INSERT")])

    assert statements(10, "a") == statements(300, "b")


def test_nobody_edits_or_deletes_a_stored_sheet(tmp_path):
    import_pcf(write_boavizta(tmp_path / "in.csv", boavizta_row()))
    sheet = PcfSheet.objects.get()
    sheet.total_kg = Decimal(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        sheet.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        PcfSheet.objects.all().delete()
    assert PcfSheet.objects.get().total_kg == 421
