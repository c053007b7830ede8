"""Addresses that somebody else wrote: what a request says of where it comes from, or goes next."""

from urllib.parse import SplitResult, urlsplit


def parts_of(address: str) -> SplitResult | None:
    """The parts of an address; None for what is none, such as ``http://[evil]/``."""
    try:
        return urlsplit(address)
    except ValueError:
        return None
