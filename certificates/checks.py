"""What the certificates need of the machine is checked at the start, with a hint where it is missing."""

import ctypes.util
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning, register

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


def installed_families() -> set[str]:
    """Names of font families that fontconfig knows; none where fontconfig is not installed."""
    command = shutil.which("fc-list")
    if command is None:
        return set()
    listed = subprocess.run([command, ":", "family"], capture_output=True, text=True, check=False)  # noqa: S603
    return {name.strip() for line in listed.stdout.splitlines() for name in line.split(",")}
