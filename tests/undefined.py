"""An undefined variable in one of the project's own templates fails the test."""

import sys
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.template.base import FilterExpression, Node


class UndefinedVariable(Exception):
    """A template asked for something its context does not hold."""


class Undefined(str):
    """For the engine's ``string_if_invalid``.

    Raises for the project's templates. For those of libraries, which rely on undefined being nothing, it is
    the empty string that it looks like. ``{% if %}`` and ``{% for %}`` never ask for it.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        # A related record that is not there is this object itself to ``{% if %}``: nothing, and no mistake.
        asked_by_engine = sys._getframe(1).f_code is FilterExpression.resolve.__code__
        return asked_by_engine and self._template() is not None

    def __contains__(self, part: object) -> bool:
        return part == "%s"

    def __mod__(self, variable: object) -> str:
        raise UndefinedVariable(f"{variable} in {self._template()}")

    @staticmethod
    def _template() -> Path | None:
        """The template being rendered, if it is the project's own."""
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            node = frame.f_locals.get("self")
            if isinstance(node, Node) and getattr(node, "origin", None) is not None:
                path = Path(node.origin.name)
                return path if path.is_relative_to(settings.BASE_DIR / "templates") else None
            frame = frame.f_back
        return None
