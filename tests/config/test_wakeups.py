"""The flow's one page: every sweep exists, every wake-up names one, and a lost broker harms nobody."""

import pytest
from celery import current_app
from django.db import transaction
from pytest_django.fixtures import Settings

from common import events
from config import wakeups
from config.celery import app
from tests.factories.offsets import make_project


def test_every_sweep_is_a_task_without_arguments_that_beat_runs_every_minute() -> None:
    current_app.loader.import_default_modules()
    for name in wakeups.SWEEPS:
        assert name in current_app.tasks, name
        assert current_app.tasks[name].run.__code__.co_argcount == 0
        assert app.conf.beat_schedule[name]["schedule"] == 60.0


def test_every_wake_up_names_a_sweep() -> None:
    assert {name for names in wakeups.WAKEUPS.values() for name in names} <= set(wakeups.SWEEPS)


def test_a_wake_up_without_a_broker_is_no_error(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = None
    wakeups.wake("offset.requested")


def test_a_broker_that_is_down_is_no_error_either(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(name: str, **options: object) -> None:
        asked.append(name)
        assert options["retry"] is False
        raise ConnectionRefusedError

    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(current_app, "send_task", refuse)
    wakeups.wake("offset.requested")
    assert asked == wakeups.WAKEUPS["offset.requested"]


@pytest.mark.django_db(transaction=True)
def test_nobody_is_woken_before_commit_or_after_a_rollback() -> None:
    woken: list[str] = []
    before = list(events._wakers)
    events.set_waker(woken.append)
    try:
        project = make_project()
        with transaction.atomic():
            events.record("offset.requested", project, actor="test")
            assert woken == []
        assert woken == ["offset.requested"]
        with transaction.atomic():
            events.record("offset.requested", project, actor="test")
            transaction.set_rollback(True)
        assert woken == ["offset.requested"]
    finally:
        events._wakers[:] = before
