"""How gunicorn serves the project: ``gunicorn --config python:src_app.gunicorn_settings``."""

import os
from typing import Any

from src_app.end_with_parent import end_with_parent
from src_app.web_server import say_nothing_of_itself

wsgi_app = "src_app.wsgi:application"
bind = os.environ.get("WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
accesslog = os.environ.get("WEB_ACCESS_LOG", "-")
logger_class = "src_app.web_server.ServerLog"
control_socket_disable = True
say_nothing_of_itself()
# The log is scrubbed by what settings say of references.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")


def post_fork(server: Any, _worker: Any) -> None:
    """In a new worker process: end with the master, should that be killed."""
    end_with_parent(server.pid)


def post_worker_init(_worker: Any) -> None:
    """In a worker process that is about to serve: have the charts' renderer ready before anybody asks."""
    # Only now: it knows models.
    from referrals.compliance.charts import warm_up

    warm_up()
