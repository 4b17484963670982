"""Rendering is kept apart: its own process, its own limits; web and worker never load the renderer."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certificates import document, rendering_pool, services, tasks
from certificates.events import CERTIFICATE_NEEDS_PERSON
from certificates.models import Certificate
from certificates.rendering_pool import Renderer, RenderingFailed
from common import events
from tests.factories.certificates import cover, enter_log, issue, make_wish
from tests.factories.offsets import make_project, stock

ROOT = Path(__file__).resolve().parents[2]
PAGE = "<!doctype html><html lang='en'><title>Page</title><style>{style}</style><h1>Wind</h1></html>"
# A counter that is padded to so many characters: twice that in bytes as a string of Python's, some thirty
# times that when it is also laid out.
PADDED = "@counter-style padded {{ system: numeric; symbols: '0' '1'; pad: {length} 'x' }}"
# 1.2 GB for a moment, and nothing of it on the page.
GREEDY = PADDED.format(length=600_000_000) + " h1 { string-set: unused counter(p, padded) }"
# GLib wants 400 MB for it at once, and ends the process when it does not get them.
GREEDY_INSIDE = PADDED.format(length=100_000_000) + (
    " h1::before { content: counter(p, padded); white-space: pre }"
)
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


@pytest.fixture
def renderer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Renderer]:
    """One of this test's own, which certificates are rendered with too."""
    own = Renderer()
    monkeypatch.setattr(rendering_pool, "renderer", own)
    yield own
    own.close()


def page(style: str = "") -> dict[str, object]:
    """The request for a page of one word, so dressed."""
    created = "2026-11-24T12:05:00+00:00"
    return {"sheet": PAGE.format(style=style), "attached": None, "created": created, "digest": "00" * 32}


def process(renderer: Renderer) -> int:
    assert renderer._child is not None
    return renderer._child.pid


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
    most = str(rendering_pool.MEMORY_LIMIT)
    assert rows["Max address space"] == [most, most]
    assert rows["Max core file size"] == ["0", "0"]


def test_a_page_that_wants_more_memory_fails_and_the_next_has_a_fresh_process(renderer: Renderer) -> None:
    plain = renderer.render(page())
    first = process(renderer)
    with pytest.raises(RenderingFailed, match="^The rendering process wanted more memory than its limit.$"):
        renderer.render(page(GREEDY))
    assert renderer._child is None  # it may be in any state now
    assert not Path(f"/proc/{first}").exists()
    assert renderer.render(page()) == plain
    assert process(renderer) != first


def test_without_the_limit_that_page_is_rendered(renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: it is the limit that stops it, and nothing else."""
    monkeypatch.setattr(rendering_pool, "MEMORY_LIMIT", resource.RLIM_INFINITY)
    renderer.render(page())
    first = process(renderer)
    assert renderer.render(page(GREEDY)).startswith(b"%PDF")
    assert process(renderer) == first


def test_a_library_that_ends_the_process_for_want_of_memory_harms_only_that_page(renderer: Renderer) -> None:
    plain = renderer.render(page())
    with pytest.raises(RenderingFailed, match="^The rendering process ended without an answer.$"):
        renderer.render(page(GREEDY_INSIDE))
    assert renderer.render(page()) == plain


@pytest.mark.django_db
def test_a_certificate_that_wants_more_memory_needs_a_person_and_the_others_go_on(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project()
    stock(project, credits=5)
    cover(*(make_wish(project, f"PF-{n}") for n in range(3)))
    issue()
    enter_log()
    made = document.pages

    def greedy_at_one(facts: dict[str, Any], **words: Any) -> list[str]:
        if facts["device_serial"] != "PF-1":
            return made(facts, **words)
        return [text.replace("</style>", f"{GREEDY}</style>", 1) for text in made(facts, **words)]

    monkeypatch.setattr(document, "pages", greedy_at_one)
    assert [tasks.render_certificates() for _round in range(4)] == [2, 0, 0, 0]
    [sick] = Certificate.objects.filter(rendered_at=None)
    assert (sick.offset.device_serial, sick.render_attempts) == ("PF-1", 3)
    assert sick.needs_person_at is not None
    assert sick.problem == "The rendering process wanted more memory than its limit."
    assert [event.kind for event in events.history(sick)][1:] == [CERTIFICATE_NEEDS_PERSON]

    services.try_again(sick, reason="more memory", actor="staff:5")
    monkeypatch.setattr(rendering_pool, "MEMORY_LIMIT", resource.RLIM_INFINITY)
    renderer.close()
    assert tasks.render_certificates() == 1  # the control: that page, with as much memory as it wants


def test_a_failure_that_nobody_foresaw_is_not_carried_over_to_the_next_page(renderer: Renderer) -> None:
    plain = renderer.render(page())
    first = process(renderer)
    with pytest.raises(RenderingFailed, match="^The rendering process failed with ValueError: "):
        renderer.render(page() | {"created": "yesterday"})
    assert renderer.render(page()) == plain
    second = process(renderer)
    assert second != first
    with pytest.raises(RenderingFailed, match="^A certificate fetches nothing"):  # foreseen: it goes on
        renderer.render(page("@import url(https://example.org/)"))
    assert process(renderer) == second


def test_a_process_that_ends_before_it_reads_is_a_failure_like_any_other(renderer: Renderer) -> None:
    renderer.render(page())
    child = renderer._child
    assert child is not None
    child.kill()
    child.wait()
    child.poll = lambda: None  # type: ignore[method-assign]  # it ended a moment after we asked
    with pytest.raises(RenderingFailed, match="Broken pipe"):
        renderer.render(page())
    assert renderer.render(page())
