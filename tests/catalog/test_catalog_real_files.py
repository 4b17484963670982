"""The real files, when they lie beside the checkout; what is expected is worked out from their cells."""

import csv
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from catalog.models import GridFactor, PcfSheet
from catalog.seed import DATA, load_catalogue
from catalog.services import import_grid_factors, import_pcf

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real files are not beside the checkout"),
]
US, FR, LENOVO, NEWER = (
    SHARED / name
    for name in ("boavizta-data-us.csv", "boavizta-data-fr.csv", "lenovo-pcf-boavizta.csv", "newer-pcf.csv")
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def expected(row: dict[str, str]) -> tuple[str, list[Fraction | None]]:
    """Verdict and amounts by the promise: total, use ratio and lifetime make a five-year total."""
    ratios = [row[f"gwp_{stage}_ratio"] for stage in ("use", "manufacturing", "transport", "eol")]
    total = Fraction(row["gwp_total"] or 0)
    if (
        not row["name"].strip()
        or total <= 0
        or any(ratio and not 0 <= Fraction(ratio) <= 1 for ratio in ratios)
    ):
        return "rejected", [None] * 4
    use = total * Fraction(ratios[0]) if ratios[0] else None
    non_use = None if use is None else total - use
    if use is None or non_use is None or not row["lifetime"]:
        return "incomplete", [non_use, None, None, None]
    yearly = use / Fraction(row["lifetime"])
    return "accepted", [non_use, yearly, yearly * 5, non_use + yearly * 5]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.csv"


def test_every_one_of_1226_rows_gets_the_verdict_and_the_amounts_that_its_cells_give(report):
    done = import_pcf(US, report=report)
    assert done.rows == 1226
    assert done.verdicts == {"accepted": 1117, "incomplete": 108, "rejected": 1}
    assert PcfSheet.objects.count() == 1225
    for number, (row, line) in enumerate(zip(rows_of(US), rows_of(report), strict=True), start=1):
        verdict, amounts = expected(row)
        assert (line["row"], line["verdict"]) == (str(number), verdict)
        printed = [
            line["non_use_kg"], line["use_kg_per_year"], line["five_year_use_kg"], line["five_year_total_kg"]
        ]  # fmt: skip
        for amount, cell in zip(amounts, printed, strict=True):
            if amount is None:
                assert cell == ""
            else:
                assert abs(Fraction(cell) - amount) <= Fraction(1, 20_000)
                assert len(cell.partition(".")[2]) == 4


def test_both_dialects_give_the_same_report_and_the_second_changes_nothing(tmp_path):
    import_pcf(US, report=tmp_path / "us.csv")
    done = import_pcf(FR, report=tmp_path / "fr.csv")
    assert (tmp_path / "us.csv").read_bytes() == (tmp_path / "fr.csv").read_bytes()
    assert (done.new_sheets, done.new_versions, done.unchanged) == (0, 0, 1225)


def test_the_known_pitfalls_are_found_where_they_are(report):
    import_pcf(US, report=report)
    found = {line["name"]: line for line in rows_of(report)}
    reasons = Counter(reason for line in found.values() for reason in line["reasons"].split(";"))
    assert found["OptiPlex 7070 Ultra"]["verdict"] == "rejected"
    assert found["OptiPlex 7070 Ultra"]["reasons"].startswith("manufacturing_ratio_out_of_range")
    for name in ("ThinkPad T540p", "ThinkPad W540", "ThinkPad Helix"):
        assert found[name]["reasons"] == "weight_implausible"
    assert "screen_differs_from_name" in found["ThinkPad 8"]["reasons"]
    assert "several_models" in found["ThinkPad T490.ThinkPad P43s"]["reasons"]
    assert found["Legion 5 15”"]["reasons"].split(";")[0] == "name_escapes_decoded"
    assert "use_more_than_electricity" in found["B3340dw"]["reasons"]
    assert reasons["zero_means_unknown"] == 102
    assert reasons["several_models"] == 56
    assert reasons["name_escapes_decoded"] == 3
    assert reasons["no_lifetime"] == 33
    assert reasons["no_use_ratio"] == 75
    assert not [line for line in rows_of(report) if "_not_understood" in line["reasons"]]
    assert PcfSheet.objects.get(name="ThinkPad W540").weight_kg is None
    assert set(PcfSheet.objects.values_list("statistic", flat=True)) == {"unknown"}


def test_apples_pairs_of_one_name_stay_two_sheets():
    import_pcf(US)
    pairs = [
        name for name, count in Counter(PcfSheet.objects.values_list("name", flat=True)).items() if count == 2
    ]
    assert len(pairs) == 4
    assert not PcfSheet.objects.filter(version__gt=1).exists()


def test_the_lenovo_rows_are_the_same_sheets(report):
    done = import_pcf(LENOVO, report=report)
    assert done.verdicts == {"accepted": 333, "incomplete": 32}
    assert import_pcf(US).unchanged == 365


def test_the_newer_figures_import_as_our_own_format(report):
    done = import_pcf(NEWER, report=report)
    assert done.verdicts == {"accepted": 3, "incomplete": 33, "rejected": 3}
    accepted = [line["name"] for line in rows_of(report) if line["verdict"] == "accepted"]
    assert accepted == ["E41-45", "MacBook Air 15-inch (M4, 2025)", "P3424WE Monitor"]
    p1 = PcfSheet.objects.filter(name__startswith="ThinkPad P1 Gen 3").values_list("statistic", "total_kg")
    assert set(p1) == {("mean", 533), ("p95", 699)}
    assert not PcfSheet.objects.filter(version__gt=1).exists()


def test_the_real_lists_on_top_of_the_demo_shop_add_sheets_and_change_none_it_sells(markets):
    load_catalogue()
    sold = list(PcfSheet.objects.order_by("pk").values_list("pk", "lineage", "version"))
    for path in (US, NEWER):
        done = import_pcf(path)
        assert (done.new_versions, done.moved_products) == (0, 0)
    assert list(PcfSheet.objects.order_by("pk").values_list("pk", "lineage", "version"))[: len(sold)] == sold


def test_the_real_grid_factors_import_and_the_shops_own_are_the_same():
    countries = import_grid_factors(SHARED / "grid-factors.csv")
    regions = import_grid_factors(SHARED / "grid-factors-regions.csv")
    assert (countries.new, countries.left_out, regions.new) == (208, ["Central African Republic"], 13)
    assert GridFactor.objects.get(country="NA").name == "Namibia"
    assert GridFactor.objects.get(country="XK").name == "Kosovo"
    assert import_grid_factors(DATA / "grid-factors.csv").new == 0
