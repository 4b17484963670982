"""Rendering is kept apart: its own process, its own limits; web and worker never load the renderer."""

import os
import subprocess
import sys
from pathlib import Path

from certificates import render_child, rendering_pool
from certificates.rendering_pool import Renderer

ROOT = Path(__file__).resolve().parents[2]
LOAD_ALL = """
import sys
import django
django.setup()
import config.urls, config.wsgi
import certificates.services, certificates.tasks, certificates.rendering_pool, checkout.tasks, offsets.tasks
from django.contrib import admin
from django.urls import get_resolver
assert get_resolver().reverse_dict  # every view is loaded
apart = {"weasyprint", "pydyf", "certificates.rendering"}
print(sorted(apart & set(sys.modules)))
"""


def test_neither_web_nor_worker_loads_the_renderer(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "CLEARLINE_MODE": "test",
        "CLEARLINE_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    answer = subprocess.run(
        [sys.executable, "-c", LOAD_ALL], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert answer.stdout.splitlines()[-1:] == ["[]"], answer.stderr


def test_the_rendering_process_may_take_so_much_memory_and_leaves_no_core() -> None:
    renderer = Renderer()
    child = renderer._start()
    try:
        limits = Path(f"/proc/{child.pid}/limits").read_text()
    finally:
        rendering_pool._end(child)
    rows = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    most = str(render_child.MEMORY_LIMIT)
    assert rows["Max address space"] == [most, most]
    assert rows["Max core file size"] == ["0", "0"]
