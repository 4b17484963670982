"""The Celery app and its clock: every sweep, every minute. Wake-ups only make a sweep run sooner."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config.wakeups import SWEEPS  # noqa: E402

app = Celery("clearline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    name: {"task": name, "schedule": 60.0, "options": {"expires": 55}} for name in SWEEPS
}
if os.environ.get("CLEARLINE_MODE") == "demo":  # nobody wakes the demo's warehouse, and a buyer is watching
    app.conf.beat_schedule["checkout.tasks.ship_demo_orders"]["schedule"] = 2.0
