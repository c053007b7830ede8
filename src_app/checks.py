"""Misconfiguration told at the start, each with what to do."""

import os
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Advice
from django.http.request import validate_host
from environ import Env

from src_app.database import runtime_role


def two_roles(**_: Any) -> list[CheckMessage]:
    """In production the role that serves must not be the role that owns."""
    owner = Env.db_url_config(settings.DATABASE_OWNER_URL)["USER"]
    if settings.PRODUCTION and owner == runtime_role():
        return [
            Error(
                "The web application would run as the owner of the database.",
                hint="Set DATABASE_URL to the runtime role and DATABASE_OWNER_URL to the owner.",
                id="src_app.E001",
            )
        ]
    return []


def one_host(**_: Any) -> list[CheckMessage]:
    """In production every request is one to SITE_URL, so its host must be one that is let in."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    if settings.PRODUCTION and not validate_host(host, settings.ALLOWED_HOSTS):
        return [
            Error(
                "ALLOWED_HOSTS leaves out the host of SITE_URL: every page would be refused.",
                hint="Set SITE_URL to where people open it, such as https://contact.example.",
                id="src_app.E004",
            )
        ]
    return []


def usable_keys(**_: Any) -> list[CheckMessage]:
    """Keys must be there, long enough and of the right form."""
    found: list[CheckMessage] = []
    if len(settings.LINKING_KEY) < 32:
        found.append(
            Error(
                "LINKING_KEY is shorter than 32 characters.",
                hint="Make one with: openssl rand -hex 32",
                id="src_app.E002",
            )
        )
    if 0 < len(settings.METRICS_TOKEN) < 32:
        found.append(
            Error(
                "METRICS_TOKEN is shorter than 32 characters.",
                hint="Make one with: openssl rand -hex 32; or leave it empty, and there is no /metrics.",
                id="src_app.E005",
            )
        )
    for name in ("EXTRACT_KEYS", "SECOND_FACTOR_KEYS", "TRIAL_SEAL_KEYS"):
        try:
            usable = [Fernet(key.encode()) for key in getattr(settings, name)]
        except ValueError:
            usable = []
        if not usable:
            found.append(
                Error(
                    f"{name} holds no usable key.",
                    hint="Each is 32 random bytes in URL-safe base64; several are separated by commas.",
                    id="src_app.E003",
                )
            )
    return found


def work_email_domains(**_: Any) -> list[CheckMessage]:
    """In production the force's domains must be known: without one nobody can be added."""
    if settings.PRODUCTION and not settings.WORK_EMAIL_DOMAINS:
        return [
            Error(
                "WORK_EMAIL_DOMAINS is empty: no account could be made.",
                hint="Set it to the domains of work e-mail addresses, separated by commas.",
                id="src_app.E005",
            )
        ]
    return []


def mail_to_everybody(**_: Any) -> list[CheckMessage]:
    """In production no mail is held back: an allow-list is for trying this system out."""
    if settings.PRODUCTION and settings.MAIL_ONLY_TO:
        return [
            Error(
                "MAIL_ONLY_TO is set: mail to everybody else would be held back, and teams not told.",
                hint="Leave it empty in production.",
                id="src_app.E006",
            )
        ]
    return []


def watched_folder(**_: Any) -> list[CheckMessage]:
    """Where there is to be one, its files must be there to be read and moved."""
    folder = settings.EXTRACT_FOLDER
    if folder and not (os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)):
        return [
            Advice(
                "EXTRACT_FOLDER names no folder that this system may open: no extract is taken from it.",
                hint="Make it, and a folder in it for each BCU, named by its code; or leave it empty.",
                id="src_app.W001",
            )
        ]
    return []


def register_all() -> None:
    """Registers the checks; called when the application is ready."""
    register(two_roles, Tags.security)
    register(one_host, Tags.security)
    register(usable_keys, Tags.security)
    register(work_email_domains, Tags.security)
    register(mail_to_everybody, Tags.security)
    register(watched_folder, Tags.files)
