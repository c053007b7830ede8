"""The mail worker as it serves, but with less patience and smaller claims, so that a test sees more of it."""

from typing import Any

from celery.signals import worker_init
from django.conf import settings

from src_app.celery import app
from tests.patience import patience

__all__ = ["app"]


@worker_init.connect
def _hurry(**_: Any) -> None:
    from referrals.mail import outbox
    from src_app.breaker import Breaker

    settings.EMAIL_TIMEOUT = patience(2)
    outbox.AT_ONCE = 20
    outbox._MAIL_SERVER = Breaker("the mail server", rest=0.1)
