"""What admin actions of every app share: who acts, and why."""

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class ReasonForm(ActionForm):
    """The bar of actions with a field for the reason. Set `action_form = ReasonForm` on an admin class."""

    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


def actor_of(request: HttpRequest) -> str:
    """The person of staff as an actor of events: `staff:5`."""
    return f"staff:{request.user.pk}"


def reason_from(request: HttpRequest) -> str:
    """The reason typed into the bar of actions; empty if none."""
    return str(request.POST.get("reason", "")).strip()
