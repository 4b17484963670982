"""The peer: django-hordak's transfers with a balance check under a lock. Runs in an environment of its own.

`python _hordak_transfers.py DATABASE_URL` migrates, then answers each count on stdin with the seconds
of so many checked transfers.
"""

import sys
import time
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.management import call_command

address = urlsplit(sys.argv[1])
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "djmoney", "mptt", "hordak"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": address.path.lstrip("/"),
            "USER": address.username,
            "HOST": parse_qs(address.query)["host"][0],
        }
    },
    DEFAULT_CURRENCY="EUR",
    CURRENCIES=["EUR"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()


def main() -> None:
    from django.db import transaction
    from hordak.models import Account
    from moneyed import Money

    call_command("migrate", verbosity=0, interactive=False)
    asset, stock, sold = (
        Account.objects.create(name=name, code=code, type=kind, currencies=["EUR"])
        for name, code, kind in (("capital", "1", "LI"), ("stock", "2", "AS"), ("sold", "3", "AS"))
    )
    asset.transfer_to(stock, Money(10**9, "EUR"))
    print("ready", flush=True)
    one = Money(1, "EUR")
    for line in sys.stdin:
        if line.startswith("fill"):
            with transaction.atomic():
                for _ in range(int(line.split()[1])):
                    stock.transfer_to(sold, one)
            print("filled", flush=True)
            continue
        began = time.perf_counter()
        for _ in range(int(line)):
            with transaction.atomic():
                locked = Account.objects.select_for_update().get(pk=stock.pk)
                if locked.get_balance() < one:
                    raise SystemExit("sold out")
                locked.transfer_to(sold, one)
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
