"""Fixed lists of words, as the fields of models take them."""

from typing import Self

from django.db import models


class NamedChoices(models.TextChoices):
    """A list that a field takes as ``choices=Strand.as_choices``.

    A migration then names the list instead of copying it: a word more, or one put better, is no migration.
    Where a constraint of the database lists the words, a word more still is one.
    """

    @classmethod
    def as_choices(cls) -> type[Self]:
        """The list itself, which Django reads each time that it needs it."""
        return cls

    @classmethod
    def label_of(cls, stored: str) -> str:
        """What pages write for a stored word: the word itself where it has left the list, as of a field."""
        return dict(cls.choices).get(stored, stored)
