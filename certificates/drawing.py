"""Documents of several sheets, drawn while their reader waits: in a rendering process of their own, which
ends with them. One at a time in each worker: whoever comes meanwhile is told to try again.
"""

import hashlib
import json
import logging
import threading

from django.utils.translation import gettext as _

from certificates.rendering_pool import Renderer, RendererUnavailable, RenderingFailed
from common.errors import DomainError

log = logging.getLogger(__name__)
TIME_LIMIT_S = 45.0  # 500 devices take about 5 s of a processor, and a busy one has others too
WAIT_S = 3.0
_drawing = threading.Lock()


class CannotDraw(DomainError):
    """The document cannot be drawn now."""

    code = "cannot_draw"
    status = 503


def draw(page: str, *, created: str, attached: dict[str, str] | None = None) -> bytes:
    """The page as PDF/A-3a. `attached` is a file to travel with it: name, content, description.

    Raises CannotDraw: another one is being drawn, or this one cannot be. The same page gives the same bytes.
    """
    body: dict[str, object] = {"sheet": page, "created": created, "attached": attached}
    request = body | {"digest": hashlib.sha256(json.dumps(body).encode()).hexdigest()}
    if not _drawing.acquire(timeout=WAIT_S):
        raise CannotDraw(_("Another document is being drawn. Try again in half a minute."))
    renderer = Renderer()
    try:
        return renderer.render(request, time_limit_s=TIME_LIMIT_S)
    except (RenderingFailed, RendererUnavailable) as error:
        log.error("sheets not drawn: %s", error)
        raise CannotDraw(
            _("This document cannot be drawn now. The single ones are there; write to us about this one.")
        ) from error
    finally:
        renderer.close()
        _drawing.release()
