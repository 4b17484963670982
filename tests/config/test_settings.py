"""An environment that is empty or wrong stops the start and names the variable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "CLEARLINE_MODE": "production",
    "SECRET_KEY": "k" * 60 + "0123456789",
    "ALLOWED_HOSTS": "shop.example",
    "SITE_URL": "https://shop.example",
    "DATABASE_URL": "postgres://clearline@db.example/clearline",
    "REDIS_URL": "redis://redis.example:6379/0",
    "EMAIL_URL": "smtp://mail.example:25",
    "CLEARLINE_LOG_SEED_LIVE": "5f" * 32,
}


def load(environment: dict[str, str], show: str = "'loaded'") -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    code = f"from django.conf import settings; settings.DEBUG; print({show})"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**kept, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("missing", sorted(PRODUCTION.keys() - {"CLEARLINE_MODE"}))
def test_production_refuses_to_start_without_a_variable_and_names_it(missing: str) -> None:
    answer = load({name: value for name, value in PRODUCTION.items() if name != missing})
    assert answer.returncode != 0
    assert f"{missing} is not set" in answer.stderr
    assert "loaded" not in answer.stdout


def test_an_empty_environment_is_production_and_refuses_to_start() -> None:
    answer = load({})
    assert answer.returncode != 0
    assert "SECRET_KEY is not set" in answer.stderr


def test_an_unknown_mode_is_refused() -> None:
    answer = load({"CLEARLINE_MODE": "developer"})
    assert "CLEARLINE_MODE is 'developer'" in answer.stderr


def test_a_complete_production_is_live_and_its_cookies_are_secure() -> None:
    shown = (
        "settings.LIVEMODE, settings.DEBUG, settings.SESSION_COOKIE_SECURE, settings.DEMO_WAREHOUSE_DELAY_S"
    )
    answer = load(PRODUCTION, shown)
    assert answer.stdout.split("\n")[0] == "True False True None", answer.stderr


def test_the_demo_never_retires_real_credits_and_keeps_its_secret_in_its_home(tmp_path: Path) -> None:
    demo = {"CLEARLINE_MODE": "demo", "CLEARLINE_HOME": str(tmp_path)}
    first, second = (
        load(demo, "settings.LIVEMODE, settings.SECRET_KEY"),
        load(demo, "'', settings.SECRET_KEY"),
    )
    assert first.stdout.split()[0] == "False"
    assert first.stdout.split()[1] == second.stdout.split()[0]
    assert (tmp_path / "keys" / "secret_key").stat().st_mode & 0o077 == 0
