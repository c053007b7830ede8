"""Dates, spans and shares in the words pages use."""

from datetime import date, datetime, time, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html

register = template.Library()


@register.filter
def clock(value: datetime | time) -> str:
    """``2:05pm``, in London."""
    local = value if isinstance(value, time) else timezone.localtime(value)
    return f"{local.hour % 12 or 12}:{local.minute:02}{'am' if local.hour < 12 else 'pm'}"


@register.filter
def day(value: date | datetime) -> str:
    """``23 November 2026``."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return f"{value.day} {value:%B %Y}"


@register.filter
def moment(value: datetime | None) -> str:
    """``23 November 2026, 2:05pm``; nothing for no moment."""
    return f"{day(value)}, {clock(value)}" if value else ""


@register.filter
def weekday_moment(value: datetime) -> str:
    """``Sunday 22 November, 9:12am``, for what is at most some days away."""
    local = timezone.localtime(value)
    return f"{local:%A} {local.day} {local:%B}, {clock(value)}"


def span(length: timedelta) -> str:
    """``40 minutes``, ``22 hours``, ``3 days``: rounded down, days from two days on."""
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return _counted(minutes, "minute")
    hours = minutes // 60
    return _counted(hours, "hour") if hours < 48 else _counted(hours // 24, "day")


@register.filter
def length_of(value: timedelta) -> str:
    """``40 minutes``, ``22 hours``, ``3 days``."""
    return span(value)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@register.filter
def waited(since: datetime, now: datetime) -> str:
    """How long it has waited: ``22 hours``."""
    return span(max(now - since, timedelta()))


@register.filter
def ago(value: datetime | None, now: datetime) -> str:
    """``less than a minute ago``, ``22 hours ago``; nothing for no moment."""
    if value is None:
        return ""
    return f"{waited(value, now) if now - value >= timedelta(minutes=1) else 'less than a minute'} ago"


@register.filter
def every(interval: timedelta | None) -> str:
    """``every 30 seconds``, ``every 5 minutes``, ``every hour``, ``every day``; ``when asked`` for none."""
    if interval is None:
        return "when asked"
    if interval < timedelta(minutes=1):
        return f"every {interval // timedelta(seconds=1)} seconds"
    if interval == timedelta(days=1):
        return "every day"
    return f"every {span(interval).removeprefix('1 ')}"


@register.filter
def due_words(due_at: datetime, now: datetime) -> str:
    """``due in 5 hours``, ``due in 2 days 23 hours``, or ``2 days overdue``."""
    if due_at < now:
        return f"{span(now - due_at)} overdue"
    left = due_at - now
    hours = left.seconds // 3600 if 2 <= left.days < 7 else 0
    return f"due in {span(left)}" + (f" {_counted(hours, 'hour')}" if hours else "")


@register.filter
def of(part: int, whole: int) -> str:
    """``262 of 371 (71%)``; without a percentage of nothing."""
    if not whole:
        return f"{part} of {whole}"
    return f"{part} of {whole} ({part * 100 / whole:.0f}%)"


@register.filter
def in_hours(length: timedelta | None) -> str:
    """``21``, in whole hours; a dash where there is none."""
    return "–" if length is None else f"{length / timedelta(hours=1):.0f}"


@register.filter
def in_percent(share: float) -> str:
    """``47%``, of a share from 0 to 1."""
    return f"{share:.0%}"


@register.filter
def asking(address: str, more: str) -> str:
    """The address that asks for that as well; empty where there is no address."""
    return f"{address}&{more}" if address else ""


@register.simple_tag
def opening(words: str, address: str, number: int) -> str:
    """The words of a number as a link to the list of what it counts, where there is an address and any."""
    return format_html('<a href="{}">{}</a>', address, words) if address and number else words


@register.filter
def number(value: int) -> str:
    """``6,000``."""
    return f"{value:,}"


@register.filter
def spoken(name: str) -> str:
    """``page trial results`` for ``page trial_results``: a name of the code in words."""
    return name.replace("_", " ")


@register.filter
def counted(number: int, nouns: str) -> str:
    """``1 report`` or ``24 reports`` for ``"report,reports"``."""
    singular, plural = nouns.split(",")
    return f"{number:,} {singular if number == 1 else plural}"
