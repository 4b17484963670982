"""docker-compose.yml: read as YAML, checked by `docker compose config` where that exists, and walked.

The walk needs no container engine: it starts the file's own commands with its own environment, in its own
order, as processes, on the PostgreSQL and Redis that ./run check has started, and walks an order through.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
import yaml

from tests.infra.conftest import find_port

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "beat")

# What an operator sets, as for a trial on one machine.
OPERATOR = {
    "CLEARLINE_LIVEMODE": "0",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "ALLOWED_HOSTS": "shop.example,127.0.0.1",
    "SITE_URL": "https://shop.example",
    "EMAIL_URL": "filemail:///data/mail",
    "CLEARLINE_LOG_ORIGIN": "log.shop.example",
    "CLEARLINE_LOG_SEED_SANDBOX": secrets.token_hex(32),
    "POSTGRES_PASSWORD": "trial",
    "SECURE_SSL_REDIRECT": "0",
}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def interpolated(text: str) -> str:
    """${NAME:?why} and ${NAME:-default}, as compose reads them."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if kind == "?":
            return OPERATOR[name]
        return OPERATOR.get(name, rest or "")

    return VARIABLE.sub(value, text)


# --- The file ----------------------------------------------------------------------------------------------


def test_the_services_are_web_worker_beat_postgres_redis_and_one_migration() -> None:
    assert set(SERVICES) == {"web", "worker", "beat", "db", "redis", "migrate"}
    assert SERVICES["db"]["image"] == "postgres:15"
    assert SERVICES["redis"]["image"] == "redis:7.0"
    assert {SERVICES[name]["image"] for name in OURS} == {"clearline"}
    assert all(SERVICES[name]["build"] == "." for name in OURS)


def test_each_service_runs_its_command() -> None:
    assert SERVICES["web"]["command"][:4] == ["python", "-m", "gunicorn", "config.wsgi"]
    assert SERVICES["worker"]["command"][:6] == ["python", "-m", "celery", "--app", "config", "worker"]
    assert SERVICES["beat"]["command"][:6] == ["python", "-m", "celery", "--app", "config", "beat"]
    assert SERVICES["migrate"]["command"][:2] == ["sh", "-c"]
    assert "manage.py migrate --noinput &&" in SERVICES["migrate"]["command"][2]
    assert "manage.py collectstatic --noinput" in SERVICES["migrate"]["command"][2]


def test_nothing_of_ours_starts_before_the_database_is_migrated() -> None:
    assert SERVICES["migrate"]["depends_on"]["db"] == {"condition": "service_healthy"}
    assert SERVICES["migrate"]["restart"] == "no"
    for name in ("web", "worker", "beat"):
        waits = SERVICES[name]["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}
        assert waits["db"] == waits["redis"] == {"condition": "service_healthy"}


def test_every_lasting_service_has_a_health_check() -> None:
    for name in ("web", "worker", "beat", "db", "redis"):
        check = SERVICES[name]["healthcheck"]
        assert check["test"][0] in {"CMD", "CMD-SHELL"}
        assert {"interval", "timeout", "retries"} <= set(check)
    assert SERVICES["web"]["healthcheck"]["test"][-1].endswith("/healthz")
    assert "inspect ping" in SERVICES["worker"]["healthcheck"]["test"][1]
    assert SERVICES["db"]["healthcheck"]["test"][1] == "pg_isready"
    assert SERVICES["redis"]["healthcheck"]["test"][1:] == ["redis-cli", "ping"]


def test_our_services_share_one_production_environment_and_secrets_have_no_default() -> None:
    environment = SERVICES["web"]["environment"]
    assert all(SERVICES[name]["environment"] == environment for name in OURS)
    assert environment["CLEARLINE_MODE"] == "production"
    for name in ("SECRET_KEY", "ALLOWED_HOSTS", "SITE_URL", "EMAIL_URL", "CLEARLINE_LIVEMODE"):
        assert environment[name].startswith("${" + name + ":?"), name
    assert "${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]
    assert SERVICES["db"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_settings_read_every_variable_that_the_file_sets() -> None:
    settings = (ROOT / "config" / "settings.py").read_text()
    unread = [name for name in SERVICES["web"]["environment"] if f'"{name}"' not in settings]
    assert unread == []


def test_only_the_web_port_is_published_and_on_loopback_only() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }


def test_the_image_is_slim_and_runs_as_nobody_special_from_the_lock() -> None:
    lines = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", lines, re.MULTILINE) == ["python:3.11-slim-bookworm"] * 2
    assert "--require-hashes" in lines
    assert "requirements/runtime.txt" in lines
    assert re.search(r"^USER clearline$", lines, re.MULTILINE)
    for package in (
        "libpango-1.0-0",
        "libpangoft2-1.0-0",
        "libharfbuzz-subset0",
        "fonts-inter",
        "fonts-noto-core",
    ):
        assert package in lines
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")} | {"claims"}
    assert apps <= {line.removeprefix("!") for line in ignored}


def compose_command() -> list[str] | None:
    """`docker compose`, or the older `docker-compose`, whichever answers here."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(command[0])
            and not subprocess.run([*command, "version"], capture_output=True).returncode
        ):
            return command
    return None


def test_docker_compose_accepts_the_file() -> None:
    command = compose_command()
    if command is None:
        pytest.skip("not run: there is no docker compose here")
    answer = subprocess.run(
        [*command, "--file", ROOT / "docker-compose.yml", "config", "--quiet"],
        env=os.environ | OPERATOR,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr


# --- The walk ----------------------------------------------------------------------------------------------


class Walk:
    """The services as processes: `python` is this one, /data a folder, the two servers the ones at hand."""

    def __init__(self, data: Path, database_url: str, redis_url: str) -> None:
        self.data, self.database_url, self.redis_url = data, database_url, redis_url
        self.port = find_port()
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def here(self, text: str) -> str:
        text = re.sub(r"^python\b|(?<=&& )python\b", sys.executable, interpolated(text).replace("$$", "$"))
        return text.replace(":8000", f":{self.port}").replace("/data", str(self.data))

    def environment(self, service: str) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
        given = {name: self.here(value) for name, value in SERVICES[service]["environment"].items()}
        servers = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
        return inherited | given | servers | {"HOSTNAME": socket.gethostname()}

    def command(self, service: str) -> list[str]:
        return [self.here(word) for word in SERVICES[service]["command"]]

    def call(self, service: str, *command: str, timeout_s: int = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.environment(service),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def start(self, service: str) -> None:
        log = (self.data / f"{service}.log").open("wb")
        self.running[service] = subprocess.Popen(
            self.command(service), env=self.environment(service), cwd=ROOT, stdout=log, stderr=log
        )

    def is_healthy(self, service: str) -> bool:
        kind, *test = [self.here(word) for word in SERVICES[service]["healthcheck"]["test"]]
        return self.call(service, *(["sh", "-c", *test] if kind == "CMD-SHELL" else test)).returncode == 0

    def wait_until_healthy(self, service: str) -> None:
        deadline = time.monotonic() + 60
        while not self.is_healthy(service):
            log = (self.data / f"{service}.log").read_text(errors="replace")
            assert self.running[service].poll() is None, f"{service} ended:\n{log}"
            assert time.monotonic() < deadline, f"{service} is not healthy after 60 s:\n{log}"
            time.sleep(0.5)

    def stop(self) -> None:
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    """A database of its own on the server that DATABASE_URL names, and a Redis database of its own."""
    import psycopg2
    import redis

    url = os.environ["DATABASE_URL"]
    name = f"compose_{secrets.token_hex(4)}"
    parts = urlsplit(url)
    server = psycopg2.connect(parts._replace(path="/postgres").geturl())
    server.autocommit = True
    server.cursor().execute(f"CREATE DATABASE {name}")
    redis_url = urlsplit(os.environ["REDIS_URL"])._replace(path="/9").geturl()
    redis.Redis.from_url(redis_url).flushdb()
    started = Walk(tmp_path, parts._replace(path=f"/{name}").geturl(), redis_url)
    try:
        yield started
    finally:
        started.stop()
        server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
        server.close()


def starting_order() -> list[str]:
    """Our services, each after those it depends on."""
    order: list[str] = []
    waiting = list(OURS)
    while waiting:
        ready = [name for name in waiting if not set(SERVICES[name]["depends_on"]) & set(waiting)]
        assert ready, f"depends_on goes in a circle: {waiting}"
        order += ready
        waiting = [name for name in waiting if name not in ready]
    return order


# In production nothing ships by itself: Dana waits for the paid order and ships it.
DANA_SHIPS = """
import time
from django.utils import timezone
from checkout.models import OrderedDevice
from checkout.shipping import released, ship_devices

for _ in range(300):
    device = OrderedDevice.objects.select_related("line__order").filter(shipment=None).first()
    if device and released(device.line.order):
        ship_devices(
            order=device.line.order, serials={device.pk: "PF-COMPOSE-1"}, actor="dana", now=timezone.now()
        )
        break
    time.sleep(0.2)
else:
    raise SystemExit("no paid order came")
"""


@pytest.mark.stack
def test_an_order_walks_through_the_very_commands_of_the_file(walk: Walk) -> None:
    first, *lasting = starting_order()
    assert first == "migrate"
    migrated = walk.call("migrate", *walk.command("migrate"))
    assert migrated.returncode == 0, migrated.stderr
    assert "clearline_" not in migrated.stdout  # no second database came to be
    for service in lasting:
        walk.start(service)
    for service in lasting:
        walk.wait_until_healthy(service)

    manage = (sys.executable, "manage.py")
    loaded = walk.call("web", *manage, "demo_setup")
    assert loaded.returncode == 0, loaded.stderr
    with ThreadPoolExecutor() as staff:
        shipped = staff.submit(
            walk.call, "web", *manage, "shell", "--verbosity", "0", "--command", DANA_SHIPS
        )
        played = walk.call("web", *manage, "demo_purchase", "--json")
    assert shipped.result().returncode == 0, shipped.result().stderr
    assert played.returncode == 0, played.stderr
    purchase = json.loads(played.stdout.splitlines()[-1])
    assert purchase["device_serial"] == "PF-COMPOSE-1"
    for kind in ("pdf", "svg", "json"):
        assert Path(purchase[kind]).is_relative_to(walk.data)
        assert Path(purchase[kind]).stat().st_size > 0
    assert purchase["credit_serials"].startswith("DEMO-") or purchase["credit_serials"][0].startswith("DEMO-")

    record = f"http://127.0.0.1:{walk.port}{urlsplit(purchase['record_url']).path}"
    with urlopen(Request(record, headers={"Host": "shop.example"}), timeout=20) as page:
        assert purchase["certificate_code"] in page.read().decode()
    verified = walk.call("web", *manage, "verify_ledger")
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.stack
def test_a_health_check_fails_when_its_service_is_not_there(walk: Walk) -> None:
    assert not walk.is_healthy("web")
    assert not walk.is_healthy("worker")
    assert not walk.is_healthy("beat")
