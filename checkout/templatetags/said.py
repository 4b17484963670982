"""Sentences of claims/ in templates: in the words of the order, or of whoever reads the page."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

from claims.formats import day_text
from claims.wording import Wording, say

register = template.Library()


@register.simple_tag(takes_context=True)
def said(context: dict[str, Any], slot: str, **facts: str | int) -> str:
    """The sentence of a slot. `wording` of the context decides whose words; pages have the visitor's."""
    return say(slot, wording=wording_of(context), **facts)


@register.simple_tag(takes_context=True)
def said_day(context: dict[str, Any], moment: datetime) -> str:
    """The day of a moment, as the language of these words writes it."""
    day = timezone.localtime(moment).date()
    return day_text(day.isoformat(), language=wording_of(context).language)


@register.simple_tag(takes_context=True)
def said_moment(context: dict[str, Any], moment: datetime) -> str:
    """A moment with its hours and minutes."""
    return f"{said_day(context, moment)}, {timezone.localtime(moment):%H:%M}"


def wording_of(context: dict[str, Any]) -> Wording:
    """What the view put in as `wording`, else what the context processor knows of the visitor."""
    chosen: Wording = context["wording"] if "wording" in context else context["visitor_wording"]
    return chosen
