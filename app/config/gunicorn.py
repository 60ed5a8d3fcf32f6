"""How the site is served: gunicorn -c app/config/gunicorn.py app.config.wsgi"""

import gc
import logging
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # gunicorn runs this file before it knows the project

from django.core.exceptions import ImproperlyConfigured

from app.config import machine
from app.config.logs import LOGGING
from stayput.django import variables

try:
    port = variables.read(os.environ).port
except ImproperlyConfigured as problem:
    sys.exit(f"site: {problem}")

gc.disable()  # until the code is loaded: nothing of it is garbage
machine.give_memory_back(machine.memory())

bind = f"0.0.0.0:{port}"
workers = machine.workers(machine.memory())
worker_class = "app.config.worker.PacedWorker"
threads = 64  # one for each sender: a slow one costs 100 kB, and pictures are decoded in slots
preload_app = True  # wrong variables end the start at once, and the workers share the memory of the code
timeout = 120  # seconds; every call to a storage gives up long before
graceful_timeout = 30  # seconds a stopping worker may take to finish its requests
keepalive = 75  # seconds: longer than a platform's edge keeps its connections, so that it never meets a closed one
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # heartbeats on a disk can stall
accesslog = None  # the platform's edge has one; ours are events
logconfig_dict = LOGGING
# forwarded_allow_ips stays as it is: Django itself reads X-Forwarded-Proto, and no client may set SCRIPT_NAME.


def on_starting(_: object) -> None:
    from stayput.django import start

    start.rehearse()


def when_ready(_: object) -> None:
    gc.collect()
    gc.freeze()  # the code is never garbage: a collection in a worker would copy all its pages
    gc.enable()


def worker_exit(_: object, __: object) -> None:
    """End a worker that is done at once: taking the interpreter apart costs a third of a second of a core each."""
    ended = sys.exception()
    if isinstance(ended, SystemExit) and not ended.code:
        logging.shutdown()
        os._exit(0)
