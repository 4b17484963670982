"""Staff's view of the ledger: every row can be found, none can be edited. What may be done has a name.

Queues come first: retirements that need a person, then those that wait; stocks with devices that wait.
"""

from django.apps import apps
from django.contrib import admin

from offsets.admin import devices, retirements, stock
from offsets.admin.base import LedgerAdmin

__all__ = ["devices", "retirements", "stock"]

for model in apps.get_app_config("offsets").get_models():
    if not admin.site.is_registered(model):  # no page of its own yet: it can be looked at all the same
        admin.site.register(model, LedgerAdmin)
