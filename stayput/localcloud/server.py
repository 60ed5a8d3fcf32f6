"""This machine's cloud as a background process: started, observed and stopped."""

import http.client
import sys
from pathlib import Path

from stayput import processes
from stayput.processes import Daemon

NAME = "this machine's cloud"


def _record(home: Path) -> Path:
    return home / "cloud.json"


def observe(home: Path) -> Daemon | None:
    """The process that was started for this stack, dead or alive; None if there was none."""
    return processes.load(_record(home))


def start(home: Path) -> Daemon:
    """The living process, started if need be. A new one is empty, at the address of the one before if it can be."""
    daemon = observe(home)
    if daemon and daemon.alive:
        return daemon
    port = daemon.port if daemon and not processes.answers(daemon.port) else processes.free_port()
    return processes.start(
        [sys.executable, "-m", "stayput.localcloud.serve", str(port)],
        record=_record(home),
        log=home / "cloud.log",
        port=port,
        ready=lambda: _answers(port),
        name=NAME,
    )


def stop(home: Path) -> None:
    """End the process and forget it; what was in it is gone."""
    if daemon := observe(home):
        processes.stop(daemon)
    _record(home).unlink(missing_ok=True)
    (home / "cloud.log").unlink(missing_ok=True)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/moto-api/data.json")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
