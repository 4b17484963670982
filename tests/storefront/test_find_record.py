"""A record by serial number: with the first group of its code, or for one's own devices."""

import pytest
from django.test import Client

from accounts.models import Account, User
from certificates import services
from certificates.models import Certificate
from offsets.models import DeviceOffset
from tests.factories.certificates import ISSUED, enter_log, issue, make_certificate, make_covered
from tests.storefront.pages import text, words

SERIAL = "PF1X1234"
WRONG = (
    "No record has this serial number and a code that begins so. The code stands at the top of the "
    "certificate and on the badge; type the serial number as it stands on the device."
)


@pytest.fixture
def certificate(db: None) -> Certificate:
    return make_certificate(SERIAL)


@pytest.fixture
def companys(certificate: Certificate, alices_company: Account) -> Certificate:
    """The record belongs to the company of Alice and Bob."""
    offset = make_covered("PF-OWN")
    DeviceOffset.objects.filter(pk=offset.pk).update(owner=alices_company)
    issue()
    enter_log()
    return Certificate.objects.get(offset=offset)


def ask(client: Client, group: str, serial: str) -> tuple[int, str]:
    """Status, and where it leads or what it says."""
    answer = client.post("/find/", {"group": group, "serial": serial})
    return answer.status_code, answer.headers.get("Location") or str(answer.context.get("problem"))


def test_first_group_and_serial_open_the_record(client: Client, certificate: Certificate) -> None:
    assert client.get("/find/").status_code == 200
    for group, serial in (
        (certificate.code[:4], SERIAL),
        (f" {certificate.code[:4].lower()}- ", " pf1x1234 "),
    ):
        assert ask(client, group, serial) == (302, f"/c/{certificate.code}/")


def test_whatever_is_wrong_or_malformed_is_answered_alike(client: Client, certificate: Certificate) -> None:
    group = certificate.code[:4]
    other = "0000" if group != "0000" else "1111"
    wrong = [(other, SERIAL), (group, "PF1X1235"), ("", SERIAL), (group, ""), ("", ""), (group[:3], SERIAL)]
    wrong += [
        (certificate.code, SERIAL),
        (group, "PF\x001"),
        ("%", "%"),
        (group, "x" * 500),
        ("____", SERIAL),
    ]
    assert {ask(client, *pair) for pair in wrong} == {(404, WRONG)}


def test_the_serial_is_never_read_from_an_address(client: Client, certificate: Certificate) -> None:
    page = client.get("/find/", {"group": certificate.code[:4], "serial": SERIAL})
    assert page.status_code == 200
    assert SERIAL not in text(page)
    assert certificate.code not in text(page)
    assert "no-store" in page["Cache-Control"]


def test_a_withdrawn_record_is_not_found_by_its_serial(client: Client, certificate: Certificate) -> None:
    services.withdraw(certificate, reason="asked for", actor="staff:1", now=ISSUED)
    assert ask(client, certificate.code[:4], SERIAL) == (404, WRONG)


def test_the_newest_issue_is_found(client: Client, certificate: Certificate) -> None:
    again = services.issue_again(certificate, reason="the name was wrong", actor="staff:1", now=ISSUED)
    assert ask(client, again.code[:4], SERIAL) == (302, f"/c/{again.code}/")


def test_for_ones_own_devices_the_serial_is_enough(
    client: Client, certificate: Certificate, companys: Certificate, alice: User, bob: User, charlie: User
) -> None:
    for user in (alice, bob):
        client.force_login(user)
        assert "For devices of your own accounts the serial number is enough." in words(client.get("/find/"))
        assert ask(client, "", "pf-own") == (302, f"/c/{companys.code}/")
        assert ask(client, "", SERIAL) == (404, WRONG)  # nobody's account holds it
    client.force_login(charlie)
    assert ask(client, "", "PF-OWN") == (404, WRONG)
    client.logout()
    assert ask(client, "", "PF-OWN") == (404, WRONG)


def test_guesses_of_serials_are_throttled_with_those_of_codes(
    client: Client, certificate: Certificate
) -> None:
    tries = [ask(client, "0000", f"PF{number}")[0] for number in range(32)]
    assert tries == [404] * 30 + [429] * 2
    assert client.post("/find/", {"group": certificate.code[:4], "serial": SERIAL}).status_code == 429
    assert client.get(f"/c/{certificate.code}/").status_code == 429
    assert DeviceOffset.objects.count() == 1


def test_the_form_is_guarded_against_other_sites(certificate: Certificate) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/find/", {"group": certificate.code[:4], "serial": SERIAL}).status_code == 403
    assert strict.delete("/find/").status_code in {403, 405}
