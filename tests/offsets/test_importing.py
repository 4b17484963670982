"""A file of credit blocks is taken whole or not at all, and every wrong row is named."""

from datetime import date
from pathlib import Path
from time import process_time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.events import history
from offsets import selectors
from offsets.importing import InvalidCreditFile, import_blocks, read_blocks
from offsets.models import Credit, CreditBlock, ProjectStock
from offsets.verify import violations
from projects.models import Project, Registry
from tests.factories.offsets import NOON, SHOP, make_project, stock
from tests.factories.projects import ProjectFactory

pytestmark = pytest.mark.django_db

HEADER = "project,credit_serials,quantity,vintage,acquired_on,source,monitoring_period"
GOOD = "CL-4449,DEMO-CDM-CL-CER-2-1 to 500,500,2021,2026-01-05,broker,2021"


@pytest.fixture(autouse=True)
def projects() -> tuple[Project, Project]:
    """A CDM project in Chile, and one of the CAR."""
    return make_project(), ProjectFactory(reference="CAR1480")


def file(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows, ""]).encode()


def refusal(content: bytes) -> InvalidCreditFile:
    """What the file is refused with; nothing is stored."""
    with pytest.raises(InvalidCreditFile) as refused:
        import_blocks(read_blocks(content), actor=SHOP, now=NOON)
    assert (CreditBlock.objects.count(), Credit.objects.count()) == (0, 0)
    return refused.value


def test_a_block_becomes_its_credits_and_can_be_sold() -> None:
    [block] = import_blocks(read_blocks(file(GOOD)), actor=SHOP, now=NOON)
    assert (str(block), block.vintage, block.unit, block.livemode) == (
        "DEMO-CDM-CL-CER-2-1 to 500",
        2021,
        "CER",
        False,
    )
    assert (block.monitoring_period, block.source, block.acquired_on) == ("2021", "broker", date(2026, 1, 5))
    assert Credit.objects.filter(block=block, retirement=None).count() == 500
    assert selectors.available_by_project(livemode=False) == {block.project_id: 500_000_000}
    assert [event.kind for event in history(block)] == ["credits.imported"]
    assert list(violations()) == []


def test_a_real_serial_makes_a_live_block_and_a_demonstration_serial_never_does() -> None:
    real = "CAR1480,CAR-1-US-1480-46-1156-FL-2024-8287-978278 to 980783,2506,2024,2026-02-05,broker,"
    blocks = import_blocks(read_blocks(file(GOOD, real)), actor=SHOP, now=NOON)
    assert [(block.project.reference, block.livemode, block.credits) for block in blocks] == [
        ("CL-4449", False, 500),
        ("CAR1480", True, 2506),
    ]


@pytest.mark.parametrize("quantity", ['"2,506"', "2506.0", " 2506 "])
def test_a_quantity_reads_as_registries_print_it(quantity: str) -> None:
    row = f"CAR1480,CAR-1-US-1480-46-1156-FL-2024-8287-978278 to 980783,{quantity},2024,2026-02-05,broker,"
    assert [block.serials.credits for block in read_blocks(file(row))] == [2506]


def test_the_file_may_begin_with_a_byte_order_mark_and_leave_the_last_column_out() -> None:
    header, row = HEADER.rpartition(",")[0], GOOD.rpartition(",")[0]
    [block] = read_blocks(b"\xef\xbb\xbf" + file(row, header=header))
    assert block.monitoring_period == ""


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("XX-1,DEMO-CDM-CL-CER-2-1 to 500,500,2021,2026-01-05,broker,", "Project 'XX-1' is not known"),
        ("CL-4449,DEMO-CDM-CL-tCER-2-1 to 500,500,2021,2026-01-05,broker,", "temporary forestry unit"),
        ("CL-4449,DEMO-CDM-CL-lCER-2-1 to 500,500,2021,2026-01-05,broker,", "temporary forestry unit"),
        ("CL-4449,DEMO-CDM-CL-CER-2-500 to 1,500,2021,2026-01-05,broker,", "smaller than the first"),
        ("CL-4449,DEMO-CDM-CL-CER-2-1 to 5000001,5000001,2021,2026-01-05,broker,", "split it"),
        ("CL-4449,1 to 500,500,2021,2026-01-05,broker,", "is not a range of credit serials"),
        ("CL-4449,,500,2021,2026-01-05,broker,", "is not a range of credit serials"),
        ("CL-4449,DEMO-CDM-CL-CER-2-1 to 500,499,2021,2026-01-05,broker,", "quantity is 499"),
        ("CL-4449,DEMO-CDM-CL-CER-2-1 to 500,499.5,2021,2026-01-05,broker,", "is not a whole number"),
        ("CL-4449,DEMO-CDM-CL-CER-2-1 to 500,-500,2021,2026-01-05,broker,", "is not a whole number"),
        ("CL-4449,DEMO-CDM-CL-CER-2-1 to 500,٥٠٠,2021,2026-01-05,broker,", "is not a whole number"),
        ("CL-4449,DEMO-CDM-CL-CER-2-1 to 500,500,21,2026-01-05,broker,", "vintage 21 is not a year"),
        ("CL-4449,DEMO-CDM-CL-CER-2-1 to 500,500,2021,05.01.2026,broker,", "is not a date"),
        ("CL-4449,DEMO-CDM-CL-CER-2-1 to 500,500,2021,2026-01-05, ,", "source is empty"),
        ("CL-4449,DEMO-CDM-PH-CER-2-1 to 500,500,2021,2026-01-05,broker,", "is of country PH, CL-4449 of CL"),
        (
            "CL-4449,DEMO-CAR-1-US-1480-46-1156-FL-2024-8287-1 to 5,5,2024,2026-01-05,broker,",
            "is of registry CAR, CL-4449 of CDM",
        ),
        (
            "CAR1480,DEMO-CAR-1-US-1335-46-1156-FL-2024-8287-1 to 5,5,2024,2026-01-05,broker,",
            "is of CAR1335, not of CAR1480",
        ),
        (
            "CAR1480,DEMO-CAR-1-US-1480-46-1156-FL-2024-8287-1 to 5,5,2023,2026-01-05,broker,",
            "vintage is 2023, but the serials say 2024",
        ),
        ("CL-4449,DEMO-CDM-CL-CER-2-1 to 500,500,2021,2026-01-05", "more or fewer cells"),
        ("CL-4449,DEMO-CDM-CL-CER-2-1 to 500,500,2021,2026-01-05,broker,2021,more", "more or fewer cells"),
    ],
)
def test_a_wrong_row_is_named_with_what_is_wrong(row: str, problem: str) -> None:
    error = refusal(file("CL-4449,DEMO-CDM-CL-CER-2-9001 to 9002,2,2021,2026-01-05,broker,", row))
    [detail] = error.details
    assert detail["row"] == 2
    assert problem in detail["problem"]
    assert error.message.startswith("1 of 2 rows are wrong, nothing was stored. Row 2: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "Missing: project, credit_serials"),
        (file(GOOD, header="project;credit_serials"), "Unknown: project;credit_serials"),
        (file(GOOD, header=HEADER.replace("vintage", "year")), "Missing: vintage. Unknown: year."),
        (file(GOOD, header=f"{HEADER},project"), "Twice: project."),
        (file(), "holds a header and no row"),
        (file(GOOD).decode().encode("utf-16"), "is not UTF-8"),
        (file(GOOD.replace("broker", "Bröker")).decode().encode("latin-1"), "is not UTF-8"),
        (file(GOOD.replace("broker", "bro\0ker")), "NUL"),
        (file(GOOD.replace("broker", '"broker')), "does not read as CSV"),
        (file(GOOD.replace("broker", "x" * 200_000)), "does not read as CSV"),
    ],
)
def test_a_file_that_is_none_of_ours_says_what_to_do(content: bytes, problem: str) -> None:
    assert problem in refusal(content).message


def test_one_bad_row_of_ten_thousand_is_found_and_nothing_is_stored() -> None:
    rows = [f"CL-4449,DEMO-CDM-CL-CER-2-{n} to {n},1,2021,2026-01-05,broker," for n in range(1, 10_001)]
    rows[6_666] = rows[6_666].replace(",1,", ",2,")
    assert [detail["row"] for detail in refusal(file(*rows)).details] == [6_667]


def test_every_wrong_row_is_named_and_not_only_the_first() -> None:
    error = refusal(file(GOOD.replace("500,500", "500,1"), GOOD, "XX-1,x,1,1,1,1,", GOOD))
    assert [detail["row"] for detail in error.details] == [1, 3, 4]
    assert "shares credits with row 2" in error.details[2]["problem"]


@pytest.mark.parametrize(("first", "last"), [(1, 500), (500, 501), (200, 300), (0, 1), (0, 9000)])
def test_rows_that_share_a_credit_are_refused(first: int, last: int) -> None:
    overlapping = f"CL-4449,DEMO-CDM-CL-CER-2-{first} to {last},{last - first + 1},2021,2026-01-05,broker,"
    [detail] = refusal(file(GOOD, overlapping)).details
    assert detail == {"row": 2, "problem": "shares credits with row 1."}


def test_the_same_numbers_of_another_commitment_period_are_other_credits() -> None:
    blocks = read_blocks(
        file(GOOD, GOOD.replace("CER-2", "CER-1"), GOOD.replace("2-1 to 500", "2-501 to 1000"))
    )
    assert len(blocks) == 3


def test_a_block_that_we_hold_is_not_taken_twice() -> None:
    stock(make_project(), credits=500)
    with pytest.raises(
        InvalidCreditFile, match="shares credits with block DEMO-CDM-CL-CER-2-1 to 500 that we hold"
    ):
        read_blocks(file(GOOD.replace("1 to 500,500", "500 to 501,2")))
    assert Credit.objects.count() == 500


def test_an_import_that_was_overtaken_stores_nothing() -> None:
    """Both files read well before either is stored; the database refuses the second as a whole."""
    other = GOOD.replace("2-1 to 500", "2-501 to 1000")
    late = read_blocks(file(other, GOOD))
    import_blocks(read_blocks(file(GOOD)), actor=SHOP, now=NOON)
    with pytest.raises(InvalidCreditFile, match="in stock already"):
        import_blocks(late, actor=SHOP, now=NOON)
    assert Credit.objects.count() == 500
    assert ProjectStock.objects.get().stocked_g == 500_000_000


def test_a_large_block_is_stored_by_as_few_statements_as_a_small_one() -> None:
    def statements(row: str) -> int:
        blocks = read_blocks(file(row))
        with CaptureQueriesContext(connection) as captured:
            import_blocks(blocks, actor=SHOP, now=NOON)
        return len(captured)

    small = statements(GOOD)
    large = statements("CL-4449,DEMO-CDM-CL-CER-2-1001 to 21000,20000,2021,2026-01-05,broker,")
    assert large <= small  # the first makes the project's counter, too
    assert Credit.objects.count() == 20_500


def test_a_thousand_blocks_take_seconds_not_minutes() -> None:
    rows = [f"CL-4449,DEMO-CDM-CL-CER-2-{n}0 to {n}9,10,2021,2026-01-05,broker," for n in range(1, 1_001)]
    before = process_time()
    import_blocks(read_blocks(file(*rows)), actor=SHOP, now=NOON)
    assert process_time() - before < 20
    assert ProjectStock.objects.get().stocked_g == 10_000_000_000


def test_the_documented_example_reads() -> None:
    make_project("PH-7980", country="PH")
    text = (Path(__file__).resolve().parents[2] / "docs" / "importing-credits.md").read_text()
    example = text.split("```")[1].strip()
    assert [(str(row.serials), row.serials.credits) for row in read_blocks(example.encode())] == [
        ("CAR-1-US-1480-46-1156-FL-2024-8287-978278 to 980783", 2506),
        ("CDM-PH-CER-2-619879 to 620095", 217),
    ]


# --- The command --------------------------------------------------------------------------------------------


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "credits.csv"
    path.write_bytes(file(GOOD))
    return path


def test_a_dry_run_stores_nothing(csv_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_credits", str(csv_file), "--dry-run")
    assert capsys.readouterr().out == "Dry run, nothing was stored. Blocks: 1, credits: 500.\n"
    assert (CreditBlock.objects.count(), ProjectStock.objects.count()) == (0, 0)


def test_the_command_stores_once(csv_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_credits", str(csv_file))
    assert capsys.readouterr().out == "Stored. Blocks: 1, credits: 500.\n"
    with pytest.raises(CommandError, match="nothing was stored"):
        call_command("import_credits", str(csv_file))
    assert capsys.readouterr().err.startswith("row 1: shares credits with block DEMO-CDM-CL-CER-2-1 to 500")
    assert Credit.objects.count() == 500


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("import_credits", str(tmp_path / "none.csv"))


def test_a_registry_that_we_do_not_know_how_to_read_is_refused() -> None:
    verra = Registry.objects.create(code="VCS", name="Verra", url="https://verra.org", unit="VCU")
    ProjectFactory(reference="VCS-1", registry=verra)
    [detail] = refusal(file(GOOD.replace("CL-4449", "VCS-1"))).details
    assert "is of registry CDM, VCS-1 of VCS" in detail["problem"]
