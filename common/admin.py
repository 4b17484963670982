"""History for staff: read and searched, never edited."""

# Django's admin classes take no type parameters at run time.
# mypy: disable-error-code="type-arg"

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from common.models import Event


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    """What happened, to what, by whom. Search by subject, such as `retirement:17`."""

    list_display = ("created_at", "kind", "subject", "sequence", "actor", "data")
    search_fields = ("subject", "actor", "kind")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
