"""Certificates are issued once, on frozen facts, and only for what the registry has confirmed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from catalog.pcf.footprint import Adjustment
from certificates import services
from certificates.commitment import canonical, commit
from certificates.events import CERTIFICATE_ENDED, CERTIFICATE_ISSUED, CERTIFICATE_WITHDRAWN
from certificates.models import Certificate
from certificates.tasks import issue_certificates as sweep
from common import events
from common.codes import normalise_code
from common.errors import Conflict
from offsets import services as ledger
from offsets.events import OFFSET_NEEDS_PERSON
from offsets.models import Allocation, DeviceOffset
from offsets.selectors import state_of
from tests.factories.certificates import (
    ACTOR,
    ISSUED,
    T490_G,
    cover,
    issue,
    make_certificate,
    make_covered,
    make_footprint,
    make_wish,
)
from tests.factories.offsets import NOON, make_project, open_retirements, promise, stock

pytestmark = pytest.mark.django_db

LATER = ISSUED + timedelta(days=3)
State = Certificate.State


def facts_of(certificate: Certificate) -> dict[str, Any]:
    certificate.refresh_from_db()
    assert certificate.facts is not None
    return certificate.facts


def kinds_of(row: Any) -> list[str]:
    return [event.kind for event in events.history(row)]


def test_nothing_is_certified_before_the_registry_has_confirmed() -> None:
    project = make_project()
    stock(project, credits=1)
    promise(make_wish(project, "PF1X1234"))
    [_open] = open_retirements(project)
    assert issue() == 0
    assert Certificate.objects.count() == 0


def test_a_covered_device_gets_one_certificate_however_often_the_sweep_runs() -> None:
    offset = make_covered()
    assert issue() == 1
    assert issue() == 0
    [certificate] = Certificate.objects.all()
    assert (certificate.offset, certificate.state, certificate.livemode) == (offset, State.VALID, False)
    assert (certificate.issued_at, certificate.rendered_at) == (ISSUED, None)
    assert kinds_of(certificate) == [CERTIFICATE_ISSUED]
    assert normalise_code(certificate.code, groups=4) == certificate.code
    offset.refresh_from_db()
    assert offset.certified_at == ISSUED


def test_the_facts_hold_everything_that_the_certificate_shows() -> None:
    certificate = make_certificate(beneficiary="Alice & Bob AB")
    retirement = Allocation.objects.get().span.retirement
    assert facts_of(certificate) == {
        "certificate": certificate.code,
        "manufacturer": "Lenovo",
        "product": "ThinkPad T490",
        "sku": "20N2-CTO",
        "configuration": "16 GB, 512 GB SSD",
        "device_serial": "PF1X1234",
        "amount_g": 386_000,
        "country": "SE",
        "boundary": "manufacture-transport-use-eol",
        "period": "years-5",
        "supplement": 0,
        "footprint_kg": "386.000",
        "footprint_sheet_kg": "421.000",
        "footprint_years": 5,
        "footprint_statistic": "mean",
        "footprint_error_percent": "26",
        "footprint_source": "https://sheets.example/t490.pdf",
        "footprint_source_date": "February 2019",
        "footprint_licence": "ODbL 1.0",
        "footprint_method": "clearline-pcf-1",
        "footprint_grid": "Test grid 2024",
        "stage_not_parted_kg": "378.900",
        "stage_not_parted_estimate": 0,
        "stage_use_kg": "7.100",
        "stage_use_estimate": 1,
        "change_country": "Electricity of Sweden instead of EU: our estimate",
        "change_country_kg": "-35.000",
        "change_country_source": "Test grid",
        "project": "CL-4449",
        "project_title": "CL-4449 Wind Farm Project",
        "project_country": "CL",
        "project_type": "Wind",
        "methodology": "ACM0002",
        "registry": "CDM",
        "registry_name": "Clean Development Mechanism",
        "registry_term": "voluntary cancellation",
        "unit": "CER",
        "intervals": f"[0, 386000) of {retirement.reference}",
        "credit_serials": "DEMO-CDM-CL-CER-2-1 to 1",
        "vintage": "2021",
        "monitoring_period": "2021",
        "retirement": retirement.reference,
        "retirement_tonnes": "1",
        "registry_reference": retirement.registry_reference,
        "retired_on": str(retirement.retired_on),
        "beneficiary": "Alice & Bob AB",
        "audience": "consumer",
        "language": "en",
        "wording": "eu-consumer-en-1",
        "issued_at": "2026-11-24T12:05:00+00:00",
        "livemode": 0,
    }


def test_the_digest_commits_to_the_facts_as_they_are_stored() -> None:
    certificate = make_certificate(manufacturer="Łenovo Ω")
    facts = facts_of(certificate)
    assert facts["manufacturer"] == "Łenovo Ω"
    assert certificate.nonce is not None
    assert certificate.digest == commit(facts, bytes(certificate.nonce)).hex()
    assert all(name.isascii() for name in facts)
    assert canonical(facts).decode().startswith('{"amount_g":386000,')


def test_nobodys_name_stands_on_it_unless_somebody_asked_for_that() -> None:
    facts = facts_of(make_certificate(buyer_reference="PO 4711, Alice"))
    assert facts["beneficiary"] == ""
    assert "Alice" not in str(facts)


def test_a_claim_that_takes_surplus_first_names_both_retirements_and_its_very_credits() -> None:
    project = make_project()
    stock(project, credits=5)
    [_first] = cover(make_wish(project, "PF-1", 600_000), key="order-1")  # leaves 400,000 g of credit 1
    [second] = cover(make_wish(project, "PF-2", 2_000_000), key="order-2")  # opens credits 2 and 3
    issue()
    facts = facts_of(Certificate.objects.get(offset=second))
    first, new = (allocation.span.retirement for allocation in second.allocations.order_by("pk"))
    assert facts["intervals"] == f"[600000, 1000000) of {first.reference}; [0, 1600000) of {new.reference}"
    assert facts["credit_serials"] == "DEMO-CDM-CL-CER-2-1 to 3"  # neighbours of one series read as one run
    assert facts["retirement"] == f"{first.reference}; {new.reference}"
    assert facts["retirement_tonnes"] == "1; 2"
    assert facts["registry_reference"] == f"{first.registry_reference}; {new.registry_reference}"
    assert facts["retired_on"] == f"{first.retired_on}; {new.retired_on}"
    assert facts["vintage"] == "2021"


def test_an_offset_whose_footprint_does_not_read_needs_a_person_and_the_others_go_on() -> None:
    project = make_project()
    stock(project, credits=3)
    [sick, *_well] = cover(*(make_wish(project, f"PF-{n}") for n in range(3)))
    DeviceOffset.objects.filter(pk=sick.pk).update(footprint={"total_kg": "386"})
    assert sweep() == 2
    assert sweep() == 0
    sick.refresh_from_db()
    assert state_of(sick) == "needs_person"
    assert sick.problem.startswith("The footprint of this claim does not read")
    assert not sick.certificates.exists()
    assert kinds_of(sick)[-1] == OFFSET_NEEDS_PERSON

    DeviceOffset.objects.filter(pk=sick.pk).update(footprint=make_footprint().as_json())
    ledger.resume_offset(sick, reason="mended", actor="staff:1")
    assert sweep() == 1
    assert sick.certificates.count() == 1


def test_a_thousand_devices_cost_no_more_statements_than_ten() -> None:
    project = make_project()
    stock(project, credits=20)
    counts = []
    for size in (10, 40):
        cover(*(make_wish(project, f"PF{size}-{n}", 1_000) for n in range(size)), key=f"order-{size}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert issue() == size
        inserts = [query for query in queries if query["sql"].startswith("INSERT")]
        counts.append((len(queries) - len(inserts), len(inserts)))
    assert counts[0][0] == counts[1][0]
    assert counts[1][1] <= counts[0][1] + 2  # on SQLite inserts come in fixed batches


def test_the_database_refuses_a_second_valid_certificate_and_a_change_of_what_was_issued() -> None:
    certificate = make_certificate()
    again = Certificate.objects.get(pk=certificate.pk)
    again.pk, again.code = None, "0000-0000-0000-0000"
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save(force_insert=True)
    for changes in (
        {"facts": {**facts_of(certificate), "amount_g": 1}},
        {"digest": "0" * 64},
        {"nonce": bytes(32)},
        {"wording": "eu-company-en-1"},
        {"code": "0000-0000-0000-0000"},
        {"facts": None},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Certificate.objects.filter(pk=certificate.pk).update(**changes)
    with pytest.raises(IntegrityError), transaction.atomic():
        Certificate.objects.filter(pk=certificate.pk).delete()
    assert facts_of(certificate)["amount_g"] == T490_G


def test_issued_again_it_has_a_new_code_and_nonce_and_the_old_one_names_the_new() -> None:
    old = make_certificate()
    new = services.issue_again(old, reason="typing error", actor="staff:5", now=LATER)
    old.refresh_from_db()
    assert (old.state, new.state, new.replaces, old.replaced_by) == (State.SUPERSEDED, State.VALID, old, new)
    assert new.code != old.code
    assert new.nonce != old.nonce
    assert facts_of(new) == {
        **facts_of(old),
        "certificate": new.code,
        "issued_at": "2026-11-27T12:05:00+00:00",
    }
    assert kinds_of(old)[-1] == CERTIFICATE_ENDED
    assert events.history(new)[0].data == {"reason": "typing error"}
    assert Allocation.objects.count() == 1  # no gram has moved
    with pytest.raises(Conflict):
        services.issue_again(old, reason="again", actor="staff:5", now=LATER)
    assert Certificate.objects.count() == 2


def test_a_reversed_claim_ends_its_certificate_and_gets_no_other() -> None:
    certificate = make_certificate()
    ledger.reverse_offset(certificate.offset, reason="returned", actor="staff:5", now=LATER)
    assert sweep() == 1
    assert sweep() == 0
    certificate.refresh_from_db()
    assert certificate.state == State.REVERSED
    assert facts_of(certificate)["amount_g"] == T490_G  # its history stays readable
    assert Certificate.objects.count() == 1
    with pytest.raises(Conflict):
        services.issue_again(certificate, reason="no", actor="staff:5", now=LATER)


def test_a_moved_claim_gets_a_certificate_that_names_the_old_one() -> None:
    old = make_certificate()
    ledger.move_to_replacement(
        old.offset, device_serial="PF9Z9999", reason="broken", actor="staff:5", now=LATER
    )
    assert sweep() == 2
    old.refresh_from_db()
    new = Certificate.objects.get(state=State.VALID)
    assert (old.state, new.replaces) == (State.MOVED, old)
    assert facts_of(new)["device_serial"] == "PF9Z9999"
    assert facts_of(new)["intervals"] == facts_of(old)["intervals"]  # the very same grams


def test_a_cancelled_promise_never_gets_one() -> None:
    project = make_project()
    stock(project, credits=1)
    [offset] = promise(make_wish(project, "PF1X1234")).offsets.all()
    ledger.cancel_offset(offset, reason="cancelled", actor="staff:5", now=NOON)
    assert sweep() == 0
    assert Certificate.objects.count() == 0


def test_withdrawn_its_facts_are_gone_for_good_and_its_grams_stay_allocated(
    django_capture_on_commit_callbacks: Any,
) -> None:
    certificate = make_certificate()
    with django_capture_on_commit_callbacks(execute=True):
        services.withdraw(certificate, reason="holder asked", actor="staff:5", now=LATER)
    certificate.refresh_from_db()
    assert (certificate.state, certificate.facts, certificate.nonce) == (State.WITHDRAWN, None, None)
    assert (certificate.withdrawn_at, certificate.pdf.name, certificate.pdf_sha256) == (LATER, "", "")
    assert len(certificate.digest) == 64
    assert kinds_of(certificate)[-1] == CERTIFICATE_WITHDRAWN
    assert Allocation.objects.get().offset == certificate.offset
    assert sweep() == 0  # and no new one appears in its place
    with pytest.raises(Conflict):
        services.withdraw(certificate, reason="again", actor="staff:5", now=LATER)
    for changes in ({"state": "valid"}, {"facts": {"amount_g": 1}, "nonce": bytes(32)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Certificate.objects.filter(pk=certificate.pk).update(**changes)


def test_changes_to_the_makers_figure_are_kept_one_by_one_with_their_sources() -> None:
    footprint = make_footprint(
        adjustments=(
            Adjustment(
                "memory", "Memory 32 GB instead of 16 GB: our estimate", Decimal("28.3"), "Source; one"
            ),
            Adjustment("country", "Electricity of Sweden: our estimate", Decimal("-35"), "Grid; two"),
        )
    )
    facts = facts_of(make_certificate(footprint=footprint))
    assert (facts["change_memory_kg"], facts["change_memory_source"]) == ("+28.300", "Source; one")
    assert (facts["change_country_kg"], facts["change_country_source"]) == ("-35.000", "Grid; two")


def test_facts_beyond_what_json_can_hold_stop_one_claim_and_not_the_sweep() -> None:
    offset = make_covered()
    broken = offset.footprint | {"years": 2**60}
    DeviceOffset.objects.filter(pk=offset.pk).update(footprint=broken)
    assert sweep() == 0
    offset.refresh_from_db()
    assert offset.problem.startswith("The facts of this claim have no canonical form")


def test_a_reissue_is_refused_while_its_facts_cannot_be_stated() -> None:
    certificate = make_certificate()
    DeviceOffset.objects.filter(pk=certificate.offset_id).update(footprint={})
    with pytest.raises(services.CannotBeStated):
        services.issue_again(certificate, reason="x", actor=ACTOR, now=LATER)
    certificate.refresh_from_db()
    assert certificate.state == State.VALID
    assert Certificate.objects.count() == 1
