"""Whole numbers that a record can be known by: what is longer reaches neither Python's nor the database's."""

import re
from collections.abc import Iterable

from django.db.models import BigIntegerField

MOST = BigIntegerField.MAX_BIGINT
_DIGITS = re.compile("[0-9]{1,19}")


def whole_number(text: str) -> int | None:
    """The number that a text says in digits; None where it says none, or one that no record has."""
    number = int(text) if _DIGITS.fullmatch(text) else None
    return number if number is not None and number <= MOST else None


def whole_numbers(texts: Iterable[str]) -> list[int]:
    """Those of several texts; what says none is left out."""
    return [number for number in map(whole_number, texts) if number is not None]


class RecordConverter:
    """``<record:case_id>`` in an address: one with a number that no record has is none."""

    regex = _DIGITS.pattern

    def to_python(self, value: str) -> int:
        """Raises ValueError, by which Django knows that the address is another."""
        number = whole_number(value)
        if number is None:
            raise ValueError("No record has this number.")
        return number

    def to_url(self, value: int) -> str:
        return str(value)
