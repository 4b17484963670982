"""What the certificates and their log need is checked at the start, with a hint where it is missing."""

import ctypes.util
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connection

from certificates.logkeys import LogKeyChanged, LogKeyMissing, signer_of
from certificates.models import LogHead

FONTS = {"Inter": "fonts-inter", "DejaVu Sans Mono": "fonts-dejavu-core"}


@register()
def certificates_can_be_rendered(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """The library that makes fonts small and fast to embed, and the fonts themselves."""
    found: list[CheckMessage] = []
    if ctypes.util.find_library("harfbuzz-subset") is None:
        found.append(
            Warning(
                "libharfbuzz-subset is missing: a certificate takes ten times as long to render.",
                hint="Install the package libharfbuzz-subset0.",
                id="certificates.W001",
            )
        )
    found.extend(
        Warning(
            f"The font {font} is not installed: certificates cannot be rendered as designed.",
            hint=f"Install the package {package}.",
            id="certificates.W002",
        )
        for font, package in FONTS.items()
        if font not in installed_families()
    )
    return found


@register(Tags.database)
def logs_keep_their_keys(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Another key than the one that signed a log refuses to start: `migrate` runs first, and runs this."""
    found: list[CheckMessage] = []
    if not databases or LogHead._meta.db_table not in connection.introspection.table_names():
        return found
    for head in LogHead.objects.order_by("pk"):
        try:
            signer_of(livemode=head.livemode)
        except LogKeyMissing:
            continue  # settings.py refuses where this mode is the shop's own; nothing is signed in the other
        except LogKeyChanged as error:
            found.append(Error(error.message, id="certificates.E001"))
    return found


def installed_families() -> set[str]:
    """Names of font families that fontconfig knows; none where fontconfig is not installed."""
    command = shutil.which("fc-list")
    if command is None:
        return set()
    listed = subprocess.run([command, ":", "family"], capture_output=True, text=True, check=False)  # noqa: S603
    return {name.strip() for line in listed.stdout.splitlines() for name in line.split(",")}
