"""Settings that would hurt somebody are found at the start, each with an id and what to do."""

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

from offsets.registries.broker import configuration_problem
from offsets.registries.http import unsafe_address
from projects.models import Registry


@register(Tags.security, deploy=True)
def no_fault_points(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A process that is told to die at a named place must not serve anybody."""
    if settings.PRODUCTION and os.environ.get("CLEARLINE_FAULT_POINT"):
        return [
            Error(
                "CLEARLINE_FAULT_POINT is set in production.",
                hint="It kills the process on purpose, for tests. Remove it from the environment.",
                id="clearline.E001",
            )
        ]
    return []


@register(Tags.database)
def no_sandbox_in_a_live_shop(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A live shop must not pretend to retire: every registry needs a real way."""
    if not settings.LIVEMODE or not kwargs.get("databases"):
        return []
    sandboxed = _registries_of(Registry.Adapter.SANDBOX)
    return [
        Error(
            f"The registry {code} retires in the sandbox, and this shop is live.",
            hint="Set 'how we retire' of the registry in the admin to a real way, or CLEARLINE_LIVEMODE=0.",
            id="clearline.E002",
        )
        for code in sandboxed
    ]


@register(Tags.database)
def broker_can_be_asked(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A registry that retires through the broker needs the broker's address and our key."""
    problem = configuration_problem()
    if not problem or not kwargs.get("databases"):
        return []
    codes = _registries_of(Registry.Adapter.BROKER)
    return [
        Error(
            f"The registry {code} retires through the broker, which cannot be asked: {problem}",
            hint="Set BROKER_URL (https) and BROKER_API_KEY in the environment; see docs/brokers.md.",
            id="clearline.E003",
        )
        for code in codes
    ]


def _registries_of(adapter: Registry.Adapter) -> list[str]:
    """Codes of the registries that retire this way; none before the first migration has made the table."""
    if Registry._meta.db_table not in connection.introspection.table_names():
        return []
    return list(Registry.objects.filter(adapter=adapter).values_list("code", flat=True))


@register(Tags.security)
def broker_address_is_safe(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Our key goes to the broker: over TLS, and where a test asks this machine, not in production."""
    problem = unsafe_address(settings.BROKER_URL) if settings.BROKER_URL else ""
    if not problem and settings.PRODUCTION and settings.BROKER_URL.startswith("http:"):
        problem = "it is not https"
    if not problem:
        return []
    return [
        Error(
            f"BROKER_URL cannot be used: {problem}.",
            hint="Write it like https://api.broker.example, without user, query or fragment.",
            id="clearline.E004",
        )
    ]
