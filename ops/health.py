"""Health checks of the containers: `health.py web URL`, `health.py beat SCHEDULE`. Exit 0 means healthy."""

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

# Celery beat writes its schedule to disk every three minutes.
STALE_AFTER_S = 600


def web_is_healthy(url: str) -> bool:
    """The page answers 200, asked for by the first host name that the shop accepts."""
    host = os.environ["ALLOWED_HOSTS"].split(",")[0]
    request = urllib.request.Request(url, headers={"Host": host})  # noqa: S310 our own loopback address
    try:
        with urllib.request.urlopen(request, timeout=8) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def beat_is_healthy(schedule: str) -> bool:
    """The schedule was written lately. The file's ending depends on the machine's dbm."""
    path = Path(schedule)
    written = [file.stat().st_mtime for file in path.parent.glob(path.name + "*")]
    return bool(written) and time.time() - max(written) < STALE_AFTER_S


CHECKS = {"web": web_is_healthy, "beat": beat_is_healthy}

if __name__ == "__main__":
    sys.exit(0 if CHECKS[sys.argv[1]](sys.argv[2]) else 1)
