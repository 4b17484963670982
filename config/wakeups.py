"""What happens after what: the whole asynchronous flow on this page.

A sweep takes no argument and finds its own work in the database. Beat runs each one every minute, `manage.py
work` runs them all in a loop; a wake-up only makes a sweep run sooner, so losing one loses time and never
work.
"""

import logging

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from certificates import events as certificates
from checkout import events as checkout
from offsets import events as offsets

log = logging.getLogger(__name__)

# In the order in which an order passes through them: one round of all of these finishes an order.
SWEEPS = [
    "certificates.tasks.watch_mirror",
    "checkout.tasks.expire_orders",
    "checkout.tasks.ship_demo_orders",
    "checkout.tasks.request_offsets",
    "checkout.tasks.follow_offsets",
    "offsets.tasks.expire_reservations",
    "offsets.tasks.open_retirements",
    "offsets.tasks.retire_credits",
    "offsets.tasks.allocate_grams",
    "offsets.tasks.note_delays",
    "certificates.tasks.issue_certificates",
    "certificates.tasks.append_to_log",
    "certificates.tasks.render_certificates",
    "checkout.tasks.email_orders",
    "checkout.tasks.email_certificates",
    "checkout.tasks.email_notices",
]

WAKEUPS: dict[str, list[str]] = {
    checkout.ORDER_PLACED: ["checkout.tasks.email_orders"],
    checkout.ORDER_PAID: ["checkout.tasks.request_offsets"],
    checkout.DEVICES_SHIPPED: ["checkout.tasks.request_offsets"],
    offsets.OFFSETS_REQUESTED: ["offsets.tasks.open_retirements", "offsets.tasks.allocate_grams"],
    offsets.RETIREMENT_OPENED: ["offsets.tasks.retire_credits"],
    offsets.RETIREMENT_CONFIRMED: ["offsets.tasks.allocate_grams"],
    offsets.OFFSET_COVERED: ["certificates.tasks.issue_certificates"],
    offsets.OFFSET_REVERSED: ["certificates.tasks.issue_certificates"],
    offsets.OFFSET_SERIAL_CHANGED: ["checkout.tasks.follow_offsets"],
    offsets.OFFSET_MOVED: ["checkout.tasks.follow_offsets"],
    offsets.OFFSET_REVERSED: ["checkout.tasks.follow_offsets"],
    offsets.OFFSET_SUBSTITUTED: [
        "checkout.tasks.follow_offsets",
        "offsets.tasks.open_retirements",
        "offsets.tasks.allocate_grams",
    ],
    offsets.OFFSET_DELAYED: ["checkout.tasks.email_notices"],
    certificates.CERTIFICATE_ISSUED: ["certificates.tasks.append_to_log"],
    certificates.LOG_EXTENDED: ["certificates.tasks.render_certificates"],
    certificates.CERTIFICATE_RENDERED: ["checkout.tasks.email_certificates"],
}


def wake(kind: str) -> None:
    """Ask the broker to run the sweeps that this kind of event concerns. Never raises: the clock runs them
    anyway.
    """
    if not settings.CELERY_BROKER_URL:
        return
    for name in WAKEUPS.get(kind, []):
        try:
            current_app.send_task(name, retry=False, ignore_result=True)
        except (OperationalError, OSError) as error:
            log.warning("wake-up lost kind=%s sweep=%s error=%s", kind, name, type(error).__name__)
