"""What a command line program says, and whether a terminal is listening to it."""

import os
import sys


def say(text: str) -> None:
    """Write one line to standard error: standard output belongs to the command that is run."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def in_foreground() -> bool:
    """Whether this process's group is the one its terminal sends Ctrl-C to."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
