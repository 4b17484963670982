"""A buyer in a process of its own: `python -m tests.concurrency.buyer NAME COUNT AMOUNT_G`.

Holds grams of the one project COUNT times, and prints how many holds it got and how many were refused.
"""

import os
import sys

import django
from django.db import transaction


def main(name: str, count: int, amount_g: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from offsets import services  # noqa: PLC0415 Django is ready only now
    from offsets.errors import SoldOut  # noqa: PLC0415
    from projects.models import Project  # noqa: PLC0415

    project = Project.objects.get()
    held = refused = 0
    for number in range(count):
        wanted = services.Hold(project=project, livemode=False, holder=f"{name}:{number}", amount_g=amount_g)
        try:
            with transaction.atomic():
                services.hold([wanted])
            held += 1
        except SoldOut:
            refused += 1
    print(held, refused)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
