#!/usr/bin/env python
"""Runs Django's management commands; people call it through script/manage."""

import logging
import os
import sys
from types import TracebackType


def log_failure(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Instead of a traceback on the terminal, or in a cron job's mail: the log leaves out the message."""
    logging.getLogger("manage").critical("command failed", exc_info=(kind, error, trace))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")
    if os.environ.get("ENVIRONMENT", "production") == "production":
        sys.excepthook = log_failure
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
