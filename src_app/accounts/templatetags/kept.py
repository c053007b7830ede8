"""What a form is kept by."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from src_app.accounts.kept_forms import FIELD, mark_for
from src_app.accounts.models import User

register = template.Library()


@register.simple_tag(takes_context=True)
def kept_form(context: Any) -> SafeString:
    """The hidden field of a form whose content is not to be lost with the session; see ``kept_forms``."""
    request = context.request
    if not isinstance(request.user, User):
        return SafeString("")
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, mark_for(request, request.user))
