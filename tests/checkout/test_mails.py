"""Two mails: the order's confirmation, and its certificates; each once, whatever dies in between."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from accounts.models import Market
from certificates.models import Certificate
from checkout import mailing, notices, services
from checkout.models import Order
from checkout.selectors import device_states
from claims.formats import day_text
from claims.guard import check
from claims.registers import Register
from claims.wording import current_wording, say, wording_by_id
from common.models import Event
from offsets.delays import Cause
from offsets.models import DeviceOffset
from projects.models import Project
from tests.factories.checkout import NOON, add, certify, make_basket, make_order, pay, place, ship
from tests.factories.offsets import promise, wish


def promised(project: Project, quantity: int = 1, **more: object) -> Order:
    """An order that is paid, shipped and promised."""
    order = make_order(quantity=quantity, project=project, **more)
    pay(order)
    ship(order)
    services.request_offsets_for_shipped(NOON)
    return order


def test_an_order_is_confirmed_once(wind: Project) -> None:
    order = make_order(quantity=2, project=wind, po_number="PO-7")
    assert mailing.send_order_mails(NOON) == 1
    assert mailing.send_order_mails(NOON) == 0
    [message] = mail.outbox
    wording = wording_by_id(order.wording)
    assert message.to == ["guest@example.com"]
    assert message.subject == say("mail_order_subject", wording=wording, order=order.number)
    body = str(message.body)
    assert say("mail_order_intro", wording=wording, order=order.number, total_kg="620") in body
    assert body.startswith(say("demo_prices", wording=wording))
    assert f"/orders/{order.number}/{order.token}/" in body
    assert "2 × ThinkPad LAPTOP-1 (16 GB)   20\u202f000\u00a0kr" in body
    assert "PO number: PO-7" in body
    assert "●── Ordered, 24 November 2026" in body
    assert "○── Paid" in body
    assert Event.objects.filter(kind="order.mailed").count() == 1


def test_a_confirmation_without_credits_says_nothing_of_them(wind: Project) -> None:
    order = make_order()
    mailing.send_order_mails(NOON)
    [message] = mail.outbox
    wording = wording_by_id(order.wording)
    assert say("mail_order_intro_plain", wording=wording, order=order.number) in str(message.body)
    assert "carbon" not in str(message.body)


def test_an_invoice_order_says_what_to_transfer(wind: Project) -> None:
    order = make_order(method="invoice")
    mailing.send_order_mails(NOON)
    assert f"transfer the total by 8 December 2026 and give {order.number} as its reference" in str(
        mail.outbox[0].body
    )


def test_certificates_come_as_files_once_the_registry_has_confirmed(wind: Project) -> None:
    order = promised(wind, quantity=2)
    assert mailing.send_certificate_mails(NOON) == 0
    first, second = certify(order)
    assert mailing.send_certificate_mails(NOON) == 1
    assert mailing.send_certificate_mails(NOON + timedelta(days=3)) == 0
    [message] = mail.outbox
    assert [(name, kind) for name, _content, kind in message.attachments] == [
        (f"{first.code}.pdf", "application/pdf"),
        (f"{second.code}.pdf", "application/pdf"),
    ]
    assert message.attachments[0][1] == b"%PDF-1.7 test"
    body = str(message.body)
    assert (
        say(
            "mail_certificates_intro",
            wording=wording_by_id(order.wording),
            order=order.number,
            total_kg="620",
        )
        in body
    )
    assert f"/c/{first.code}/" in body
    assert Event.objects.filter(kind="order.certificates_mailed").count() == 1


def test_they_wait_until_every_device_of_the_shipment_has_its_own(wind: Project) -> None:
    order = promised(wind, quantity=2)
    _first, second = certify(order, rendered=False)
    Certificate.objects.exclude(pk=second.pk).update(rendered_at=NOON)
    assert mailing.send_certificate_mails(NOON) == 0
    assert mail.outbox == []


def test_a_device_that_needs_a_person_holds_nobody_up_and_gets_its_own_mail_later(wind: Project) -> None:
    order = make_order(quantity=2, project=wind)
    pay(order)
    ship(order, "PF-1", "PF-2")
    promise(wish(wind, "PF-1", 310_000), key="elsewhere")
    services.request_offsets_for_shipped(NOON)
    certify(order)
    assert mailing.send_certificate_mails(NOON) == 1
    assert "PF-2" in str(mail.outbox[0].body)
    assert "PF-1" not in str(mail.outbox[0].body)
    DeviceOffset.objects.filter(request__key="elsewhere").update(ended_at=NOON, ended_reason="cancelled")
    for device in order.lines.get().devices.exclude(problem=""):
        services.clear_problem(device=device, reason="put right", actor="staff:1")
    services.request_offsets_for_shipped(NOON)
    certify(order)
    assert mailing.send_certificate_mails(NOON) == 1
    assert "PF-1" in str(mail.outbox[1].body)
    assert "PF-2" not in str(mail.outbox[1].body)


def test_more_than_ten_come_as_addresses(wind: Project) -> None:
    order = promised(wind, quantity=11)
    certificates = certify(order)
    mailing.send_certificate_mails(NOON)
    [message] = mail.outbox
    assert message.attachments == []
    assert all(f"/c/{certificate.code}/" in str(message.body) for certificate in certificates)


def test_a_server_that_refuses_is_asked_again(wind: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    order = promised(wind)
    certify(order)

    def refuse(_message: EmailMessage) -> int:
        raise SMTPServerDisconnected

    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", refuse)
        assert mailing.send_order_mails(NOON) == mailing.send_certificate_mails(NOON) == 0
    assert not Event.objects.filter(kind__in=["order.mailed", "order.certificates_mailed"]).exists()
    assert mailing.send_order_mails(NOON) == mailing.send_certificate_mails(NOON) == 1
    assert len(mail.outbox) == 2


def test_a_worker_that_dies_while_sending_never_doubles_a_mail(
    wind: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = promised(wind)
    certify(order)

    class Died(Exception):
        pass

    def die(_message: EmailMessage) -> int:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", die)
        for send in (mailing.send_order_mails, mailing.send_certificate_mails):
            with pytest.raises(Died):
                send(NOON)
    assert mailing.send_order_mails(NOON) == mailing.send_certificate_mails(NOON) == 0
    assert mail.outbox == []


def test_a_file_that_is_missing_holds_back_only_its_own_mail(wind: Project) -> None:
    broken, good = promised(wind), promised(wind)
    for certificate in certify(broken):
        certificate.pdf.delete(save=False)
        Certificate.objects.filter(pk=certificate.pk).update(pdf="certificates/gone.pdf")
    certify(good)
    assert mailing.send_certificate_mails(NOON) == 1
    assert good.number in mail.outbox[0].subject


def test_mails_keep_to_the_words_of_their_register(wind: Project, alices_company: object) -> None:
    for owner in (None, alices_company):
        basket = make_basket()
        add(basket, quantity=2, project=wind)
        order = place(basket, owner=owner)  # type: ignore[arg-type]
        pay(order)
        ship(order)
        services.request_offsets_for_shipped(NOON)
        certify(order)
    mailing.send_order_mails(NOON)
    mailing.send_certificate_mails(NOON)
    assert len(mail.outbox) == 4
    registers = {order.number: wording_by_id(order.wording).register for order in Order.objects.all()}
    assert set(registers.values()) == {Register.A, Register.B}
    for message in mail.outbox:
        register = next(value for number, value in registers.items() if number in message.subject)
        assert check(f"{message.subject}\n{message.body}", register=register, language="en") == []


LANGUAGES = ["en", "de", "sv", "fr", "es"]
SPEAKS = {  # of a confirmation: the day of a step, and how the order page is named
    "en": ("Ordered, 24 November 2026", "Your order page, always up to date:"),
    "de": ("Bestellt, 24. November 2026", "Die Seite Ihrer Bestellung, immer auf dem neuesten Stand:"),
    "sv": ("Beställd, 24 november 2026", "Sidan för din beställning, alltid aktuell:"),
    "fr": ("Commandé, 24 novembre 2026", "La page de votre commande, toujours à jour\u00a0:"),
    "es": ("Pedido, 24 de noviembre de 2026", "La página de su pedido, siempre al día:"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mail_is_whole_in_the_language_of_its_order(wind: Project, language: str) -> None:
    Market.objects.update(language=language)
    order = make_order(quantity=11, project=wind, method="invoice", po_number="PO-7")
    wording = wording_by_id(order.wording)
    assert wording.language == language
    mailing.send_order_mails(NOON)
    paused = notices.notice_mail(order, Cause(code="paused:2026-11-24T12:00", project=wind))
    Market.objects.update(language="en" if language != "en" else "de")  # the order keeps its own
    pay(order)
    ship(order)
    services.request_offsets_for_shipped(NOON)
    certify(order)
    mailing.send_certificate_mails(NOON)
    confirmation, records = mail.outbox
    first, page = SPEAKS[language]
    assert first in str(confirmation.body)
    said = {
        confirmation: ("mail_lines_title", "mail_net", "mail_total", "mail_po_number", "mail_where_title"),
        records: ("mail_on_page", "mail_order_page", "device_serial"),
        paused: ("notice_answer", "mail_order_page", "demo_prices"),
    }
    english = current_wording(register=wording.register, language="en")
    for message, slots in said.items():
        body = str(message.body)
        assert page in body
        assert [slot for slot in slots if say(slot, wording=wording) not in body] == []
        assert language == "en" or [slot for slot in slots if f"{say(slot, wording=english)}\n" in body] == []
        assert check(f"{message.subject}\n{body}", register=wording.register, language=language) == []
    day = day_text(order.expires_at.date().isoformat(), language=language) if order.expires_at else ""
    assert say("mail_transfer", wording=wording, date=day, order=order.number) in str(confirmation.body)
    assert say("notice_waiting", wording=wording, count=11, order=order.number) in str(paused.body)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_device_without_credits_is_told_of_in_the_orders_language_too(wind: Project, language: str) -> None:
    Market.objects.update(language=language)
    order = make_order()
    wording = wording_by_id(order.wording)
    mailing.send_order_mails(NOON)
    assert say("plain_next_ordered", wording=wording) in str(mail.outbox[0].body)
    services.cancel_order(order=order, reason="not wanted", actor="staff:1", now=NOON)
    order.refresh_from_db()
    [state] = device_states(order)
    assert (state.label, state.what_next) == (
        say("state_cancelled", wording=wording),
        say("next_cancelled", wording=wording),
    )
