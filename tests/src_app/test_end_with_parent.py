"""Pool processes of the worker and of the web server, busy when their parent is killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process_tree import assert_none_lives, process

ROOT = Path(__file__).resolve().parents[2]
# The child sleeps: as one that is busy, it does not look whether its parent is still there.
PARENT = """
import os, time
parent = os.getpid()
if os.fork() == 0:
    {begin}
    print(os.getpid(), flush=True)
    time.sleep(600)
os.wait()
"""
WORKER = "import src_app.celery, celery.signals as s; s.worker_process_init.send(sender=None)"
WEB = (
    "from types import SimpleNamespace as Master; from src_app.gunicorn_settings import post_fork;"
    "post_fork(Master(pid=parent), None)"
)


@pytest.mark.parametrize("begin", [WORKER, WEB], ids=["worker", "web"])
def test_a_busy_pool_process_ends_with_its_killed_parent(begin: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT.format(begin=begin)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as parent:
        assert parent.stdout is not None
        child = process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        assert_none_lives([child])
