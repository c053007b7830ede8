"""Back to a list after an act upon one of its rows."""

from django.http import HttpRequest, QueryDict
from django.urls import reverse


def back_to(request: HttpRequest, url_name: str, *arguments: str) -> str:
    """The list's address with the filters and the page that ``lists/_asked.html`` has sent with the act.

    What was sent is read and written anew as parameters: it can lead to no other address.
    """
    asked = QueryDict(request.POST.get("asked", "")).urlencode()
    address = reverse(url_name, args=arguments)
    return f"{address}?{asked}" if asked else address
