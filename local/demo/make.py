"""``python -m local.demo.make``: prepares the demo's database and makes what it lacks of the data."""

import argparse
import os
import sys

import django
from django.utils import timezone

from local.demo.prepare import NotOurs, prepare


def main() -> int:
    """Runs the command line; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.demo.make", description=__doc__)
    parser.add_argument("--no-history", action="store_true", help="last night's reports alone")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")
    try:
        prepare()
    except NotOurs as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    django.setup()
    from local.demo.data import make_demo

    make_demo(history=not arguments.no_history, at=timezone.now())
    return 0


if __name__ == "__main__":
    sys.exit(main())
