"""How gunicorn serves the project: ``gunicorn --config python:src_app.gunicorn_settings``.

It stands behind a proxy that buffers (``docker/nginx.conf``): a request reaches it whole, an answer is taken
off its hands at once. Without one a thread waits for whoever sends slowly, and as many connections that stop
half way as there are threads hold the site up, until ``SECONDS_TO_WAIT`` are over.
"""

import os
import socket
import struct
from typing import Any

from src_app.end_with_parent import end_with_parent
from src_app.web_server import say_nothing_of_itself

wsgi_app = "src_app.wsgi:application"
bind = os.environ.get("WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
# A thread waits for the database more than it works, and never for a caller. Each keeps a connection to the
# database: 2 x 8, and those of the workers, are a fifth of the 100 that PostgreSQL has.
threads = int(os.environ.get("WEB_THREADS", "8"))
# Of a process that says nothing any more, not of a request: statements end by themselves.
timeout = 60
# A request under way is finished when the server stops; a statement may take 30 seconds.
graceful_timeout = 35
# The proxy begins a connection for each request. Browsers that come without one, as in the demo, keep theirs.
keepalive = 5
# A list with every filter set, and the cookies, fit many times over; docker/nginx.conf lets no more through.
limit_request_line = 4_094
limit_request_fields = 50
limit_request_field_size = 8_190
# For the next piece of a request, where no proxy has it whole: then the thread lets go of the connection.
SECONDS_TO_WAIT = 10
accesslog = os.environ.get("WEB_ACCESS_LOG", "-")
logger_class = "src_app.web_server.ServerLog"
control_socket_disable = True
say_nothing_of_itself()
# The log is scrubbed by what settings say of references.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")


def when_ready(server: Any) -> None:
    """Before anybody is served: whoever stops half way through a request is not waited for without end."""
    for listener in server.LISTENERS:
        # What is accepted there inherits it.
        wait_at_most(listener.sock, SECONDS_TO_WAIT)


def wait_at_most(listening: socket.socket, seconds: int) -> None:
    """Has every read from what is accepted there fail where nothing comes for so long."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", seconds, 0))


def post_fork(server: Any, _worker: Any) -> None:
    """In a new worker process: end with the master, should that be killed."""
    end_with_parent(server.pid)


def post_worker_init(_worker: Any) -> None:
    """In a worker process that is about to serve: have the charts' renderer ready before anybody asks."""
    # Only now: it knows models.
    from referrals.compliance.charts import warm_up

    warm_up()
