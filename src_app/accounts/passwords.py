"""First passwords, and what a password may not hold besides what Django knows."""

import secrets

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher, get_hasher, make_password
from django.core.exceptions import ValidationError

from src_app.accounts.models import User

_ROUNDS_OF_DRAWN = 1_000
# What somebody who knows this work would try first.
WORDS = (
    "password",
    "reassurance",
    "contact",
    "hatecrime",
    "victim",
    "referral",
    "police",
    "trial",
    "officer",
)


def first_password() -> str:
    """A password that nobody can guess, to hand over; its owner changes it after the first sign-in."""
    return secrets.token_urlsafe(16)


def hash_of_drawn(password: str) -> str:
    """The hash of a :func:`first_password`, made quickly: many are at once, and 128 bits are not guessed.

    Django makes it slow, as of any other password, when its owner first signs in.
    """
    hasher = get_hasher()
    if not isinstance(hasher, PBKDF2PasswordHasher):
        return make_password(password)
    return hasher.encode(password, hasher.salt(), iterations=_ROUNDS_OF_DRAWN)


class NoWordOfThisWorkValidator:
    """Refuses a password of which little is left without the words of this work and the force's own."""

    # As many signs must be left as a random word has.
    fewest_left = 8

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError."""
        left = "".join(sign for sign in password.casefold() if sign.isalnum())
        of_the_force = (settings.FLAG_NAME, settings.CRIME_SYSTEM_NAME, settings.MAIL_DOMAIN.split(".")[0])
        for word in (*WORDS, *of_the_force):
            left = left.replace("".join(sign for sign in word.casefold() if sign.isalnum()), "")
        if len(left) < self.fewest_left:
            raise ValidationError(
                "Use fewer words of this work, such as contact or police: they are guessed first.",
                code="password_of_this_work",
            )

    def get_help_text(self) -> str:
        """As the page to change it says."""
        return "Your password must be more than words of this work."
