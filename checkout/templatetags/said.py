"""Sentences of claims/ in templates: in the words of the order, or of whoever reads the page."""

from datetime import datetime

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language

from claims.formats import day_text
from claims.wording import Wording, say

register = template.Library()


@register.simple_tag(takes_context=True)
def said(context: Context, slot: str, **facts: str | int) -> str:
    """The sentence of a slot. `wording` of the context decides whose words; pages have the visitor's.

    On a page of another language it says which one it is in, so that a screen reader speaks it right.
    """
    wording = wording_of(context)
    sentence = say(slot, wording=wording, **facts)
    if not context.autoescape or wording.language == get_language():
        return sentence
    return format_html('<span lang="{}">{}</span>', wording.language, sentence)


@register.simple_tag(takes_context=True)
def said_plainly(context: Context, slot: str, **facts: str | int) -> str:
    """The same for an attribute of an element."""
    return say(slot, wording=wording_of(context), **facts)


@register.simple_tag(takes_context=True)
def said_day(context: Context, moment: datetime) -> str:
    """The day of a moment, as the language of these words writes it."""
    day = timezone.localtime(moment).date()
    return day_text(day.isoformat(), language=wording_of(context).language)


@register.simple_tag(takes_context=True)
def said_moment(context: Context, moment: datetime) -> str:
    """A moment with its hours and minutes."""
    return f"{said_day(context, moment)}, {timezone.localtime(moment):%H:%M}"


def wording_of(context: Context) -> Wording:
    """What the view put in as `wording`, else what the context processor knows of the visitor."""
    chosen: Wording = context["wording"] if "wording" in context else context["visitor_wording"]
    return chosen
