"""The public log as files: key, checkpoints, entries. Anybody may read all of it; nothing in it names a
device.
"""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from certificates.logkeys import keyring_of
from certificates.models import LogCheckpoint, LogEntry
from common.errors import InvalidInput, NotFound

ENTRIES_AT_ONCE = 5_000
FOR_EVER = 31_536_000


class NoCheckpoint(NotFound):
    """The log has no signed checkpoint yet."""

    code = "no_checkpoint"


@require_safe
def key(request: HttpRequest, livemode: bool) -> HttpResponse:
    """The key that signs this log, origin+keyid+key, and those before it: the newest first, one a line."""
    return _text(f"{keyring_of(livemode=livemode)}\n", seconds=5)  # a checkpoint may be of the next key


@require_safe
def checkpoint(request: HttpRequest, livemode: bool) -> HttpResponse:
    """The newest signed checkpoint."""
    newest = _signed(livemode).order_by("-size").first()
    if newest is None:
        raise NoCheckpoint("This log has no checkpoint yet. The first retirement makes one.")
    return _text(newest.text, seconds=5)


@require_safe
def checkpoints(request: HttpRequest, livemode: bool) -> HttpResponse:
    """The sizes of every signed checkpoint, one a line, oldest first."""
    sizes = _signed(livemode).order_by("size").values_list("size", flat=True)
    return _text("".join(f"{size}\n" for size in sizes.iterator()), seconds=5)


@require_safe
def old_checkpoint(request: HttpRequest, livemode: bool, size: int) -> HttpResponse:
    """The signed checkpoint of this size, as it was published."""
    row = _signed(livemode).filter(size=size).first()
    if row is None:
        raise NoCheckpoint("This log has no checkpoint of this size. /checkpoints/ lists those that it has.")
    return _text(row.text, seconds=FOR_EVER)


@require_safe
def entries(request: HttpRequest, livemode: bool) -> HttpResponse:
    """Entries `?from=` to `?to=` (not included), at most 5,000 at once, one after the other as they were
    hashed.
    """
    start = _number(request, "from", 0)
    end = min(_number(request, "to", start + ENTRIES_AT_ONCE), start + ENTRIES_AT_ONCE)
    newest = _signed(livemode).order_by("-size").first()
    size = newest.size if newest else 0
    rows = LogEntry.objects.filter(livemode=livemode, index__gte=start, index__lt=min(end, size)).order_by(
        "index"
    )
    data = "".join(rows.values_list("data", flat=True))
    return _text(data, seconds=FOR_EVER if end <= size else 5)


def _signed(livemode: bool) -> QuerySet[LogCheckpoint]:
    return LogCheckpoint.objects.filter(livemode=livemode).exclude(text="")


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidInput(f"{name} is a whole number, such as {name}=0.")
    return int(text)


def _text(body: str, *, seconds: int) -> HttpResponse:
    response = HttpResponse(body, content_type="text/plain; charset=utf-8")
    patch_cache_control(response, public=True, max_age=seconds)
    response["Access-Control-Allow-Origin"] = "*"
    return response
