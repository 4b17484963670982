"""A retirement by its reference or by any credit serial; what is in stock, and what is nobody's."""

from datetime import date

import pytest
from django.test import Client

from certificates.models import LogEntry
from offsets import reconciling
from offsets import services as ledger
from offsets.models import DeviceOffset, Reconciliation, Retirement
from projects.models import Project
from tests.factories.certificates import cover, enter_log, make_wish
from tests.factories.checkout import make_shop
from tests.factories.offsets import NOON, open_retirements, promise, wish
from tests.offsets.test_reconcile import report
from tests.storefront.pages import counted, text, words

SERIES = "DEMO-CDM-CL-CER-2"


@pytest.fixture
def wind(db: None, dealt_in_order: None) -> Project:
    """Five credits in stock; the first two are retired for three laptops of 500 kg and one of 100 kg."""
    project = make_shop()
    cover(*(make_wish(project, f"PF-{n}", 500_000) for n in range(3)), make_wish(project, "PF-3", 100_000))
    return project


def reconcile(*runs: tuple[int, int], as_of: date) -> None:
    """Read a public report that holds these credits."""
    reconciling.reconcile(
        report(*runs), name="cdm.csv", as_of=as_of, livemode=False, actor="staff:1", now=NOON
    )


def retirement() -> Retirement:
    return Retirement.objects.get(state="confirmed")


def test_without_a_question_the_newest_retirements_stand_there(client: Client, wind: Project) -> None:
    page = client.get("/retirements/")
    assert page.status_code == 200
    assert retirement().reference in words(page)
    day = f"{retirement().retired_on:%-d %b %Y}"
    assert f"{day} · demonstration Wind CL-4449 2" in words(page)
    assert "PF-1" not in text(page)


def test_a_reference_leads_to_its_page_however_it_is_typed(client: Client, wind: Project) -> None:
    reference = retirement().reference
    for typed in (reference, f"  {reference.lower()} "):
        moved = client.get("/retirements/", {"q": typed})
        assert (moved.status_code, moved["Location"]) == (302, f"/retirements/{reference}/")
    page = client.get("/retirements/", {"q": "cl-2026-11-zzzz"})
    assert page.status_code == 404
    assert "No retirement has this reference." in words(page)


@pytest.mark.parametrize(
    "typed",
    [f"{SERIES}-2", f"{SERIES}-2 to 2", f"{SERIES.lower()}-1 TO 2", f" {SERIES}-1 – 2", f"{SERIES}-1 - 2"],
)
def test_one_serial_or_a_range_finds_the_retirement_that_holds_it(
    client: Client, wind: Project, typed: str
) -> None:
    page = client.get("/retirements/", {"q": typed})
    assert page.status_code == 200
    [held] = page.context["held"]
    assert held.retirement == retirement()
    assert (page.context["found"].in_stock, page.context["found"].unknown) == (0, 0)
    assert f'href="/retirements/{retirement().reference}/"' in text(page)
    assert "PF-1" not in text(page)


def test_a_range_is_told_apart_into_retired_in_stock_and_unknown(client: Client, wind: Project) -> None:
    promise(wish(wind, "PF-9", 950_000), key="order-9")
    [opened] = open_retirements(wind)
    page = client.get("/retirements/", {"q": f"{SERIES}-2 to 9"})
    assert page.status_code == 200
    assert [(row.retirement, row.serials, row.credits) for row in page.context["held"]] == [
        (retirement(), f"{SERIES}-2 to 2", 1),
        (opened, f"{SERIES}-3 to 3", 1),
    ]
    shown = words(page)
    assert "Of these credits, in the retirements below: 2." in shown
    assert "Of these credits, in our stock and not retired: 2." in shown
    assert "Of these credits, never ours, so that we know nothing of them: 4." in shown
    assert "set aside, not yet confirmed" in shown


def test_a_credit_that_is_in_stock_or_unknown_is_said_so(client: Client, wind: Project) -> None:
    stocked = client.get("/retirements/", {"q": f"{SERIES}-5"})
    assert (stocked.status_code, stocked.context["held"]) == (200, [])
    assert "Of these credits, in our stock and not retired: 1." in words(stocked)
    unknown = client.get("/retirements/", {"q": "CDM-PH-CER-2-619879"})
    assert (unknown.status_code, unknown.context["held"]) == (404, [])
    assert "Of these credits, never ours, so that we know nothing of them: 1." in words(unknown)


def test_a_refused_retirement_holds_no_credit_any_more(client: Client, wind: Project) -> None:
    promise(wish(wind, "PF-9", 950_000), key="order-9")
    [opened] = open_retirements(wind)
    page = client.get("/retirements/", {"q": f"{SERIES}-3"})
    assert [row.retirement for row in page.context["held"]] == [opened]
    ledger.void_retirement(opened, reason="another account", actor="staff:1", now=NOON)
    page = client.get("/retirements/", {"q": f"{SERIES}-3"})
    assert page.context["held"] == []
    assert "Of these credits, in our stock and not retired: 1." in words(page)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("wind", "is not a range of credit serials. Write it like"),
        (f"{SERIES}-5 to 2", "the last number is smaller than the first"),
        ("CDM-PH-tCER-2-1 to 2", "temporary forestry unit"),
        (f"{SERIES}-1 to 9999999999", "more than 5000000 credits"),
        ("<b>%s\x00" * 60, "is not a range of credit serials"),
    ],
)
def test_what_does_not_read_is_told_what_to_write(
    client: Client, wind: Project, typed: str, said: str
) -> None:
    page = client.get("/retirements/", {"q": typed})
    assert page.status_code == 422
    assert said in words(page)
    assert "<b>%s" not in text(page)


def test_many_retirements_of_a_range_are_paged_in_a_fixed_number_of_statements(
    client: Client, wind: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.views.retirements.RETIREMENTS_PER_PAGE", 1)
    client.get("/retirements/", {"q": f"{SERIES}-1 to 5"})
    with counted() as one:
        client.get("/retirements/", {"q": f"{SERIES}-1 to 5"})
    promise(wish(wind, "PF-9", 950_000), key="order-9")
    open_retirements(wind)
    with counted() as two:
        page = client.get("/retirements/", {"q": f"{SERIES}-1 to 5"})
    assert len(two) == len(one)
    assert len(page.context["held"]) == 1
    second = client.get("/retirements/", {"q": f"{SERIES}-1 to 5", "page": "2"})
    assert [row.retirement.state for row in second.context["held"]] == ["open"]
    assert f"q={SERIES}-1%20to%205&amp;page=1" in text(second)


def test_its_page_names_block_tonnes_report_row_log_entry_and_a_running_total(
    client: Client, wind: Project
) -> None:
    enter_log()
    shown = words(client.get(f"/retirements/{retirement().reference}/"))
    assert f"Tonnes 2 Out of the block {SERIES}-1 to 5 · 5 credits Vintage 2021" in shown
    assert "not yet checked against the registry's public report" in shown
    entry = LogEntry.objects.get(retirement=retirement())
    assert f"Public log entry {entry.index}" in shown
    assert f'href="/sandbox/log/entries?from={entry.index}&amp;to={entry.index + 1}"' in text(
        client.get(f"/retirements/{retirement().reference}/")
    )
    reconcile((1, 2), as_of=date(2026, 11, 25))
    shown = words(client.get(f"/retirements/{retirement().reference}/"))
    assert "checked against the registry on 25 November 2026" in shown
    [row] = Reconciliation.objects.get().lines
    assert f"Row {row['row']}, 2026-11-24: {SERIES}-1 to 2 · SHA-256 {row['sha256']}" in shown
    reconcile((1, 1), as_of=date(2026, 11, 26))
    shown = words(client.get(f"/retirements/{retirement().reference}/"))
    assert "the report of 26 November 2026 does not confirm it: SHORT" in shown


def test_the_running_total_leaves_out_what_was_given_back(client: Client, wind: Project) -> None:
    second = DeviceOffset.objects.get(device_serial="PF-1")
    ledger.reverse_offset(second, reason="returned", actor="staff:1", now=NOON)
    page = client.get(f"/retirements/{retirement().reference}/")
    assert [(row["from_g"], row["to_g"], row["total"]) for row in page.context["rows"]] == [
        ("0", "500\u202f000", "500\u202f000"),
        ("1\u202f000\u202f000", "1\u202f500\u202f000", "1\u202f000\u202f000"),
        ("1\u202f500\u202f000", "1\u202f600\u202f000", "1\u202f100\u202f000"),
    ]
    assert "Surplus 900 000 g" in words(page)
