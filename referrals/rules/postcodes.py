"""A postcode as people write it. Pure."""

import re

_POSTCODE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})", re.ASCII)


def read_postcode(text: str) -> str:
    """The postcode with one space, upper case; empty for what has not the form of one."""
    found = _POSTCODE.fullmatch("".join(text.split()).upper())
    return f"{found[1]} {found[2]}" if found else ""
