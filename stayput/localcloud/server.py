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
    """End the process, and its stand-in, and forget them; what was in it is gone."""
    for record, log in ((_standing_in(home), "provider.log"), (_record(home), "cloud.log")):
        if daemon := processes.load(record):
            processes.stop(daemon)
        record.unlink(missing_ok=True)
        (home / log).unlink(missing_ok=True)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/moto-api/data.json")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _standing_in(home: Path) -> Path:
    return home / "provider.json"


def start_stand_in(home: Path, url: str, region: str) -> Daemon:
    """The process that serves the stand-in provider of the cloud at `url` to commands typed in a shell."""
    daemon = processes.load(_standing_in(home))
    if daemon and (process := daemon.process()):
        if {url, region} <= set(process.cmdline()):
            return daemon
        processes.stop(daemon)
    port = daemon.port if daemon and not processes.answers(daemon.port) else processes.free_port()
    return processes.start(
        [sys.executable, "-m", "stayput.localcloud.provide", str(port), url, region],
        record=_standing_in(home),
        log=home / "provider.log",
        port=port,
        ready=lambda: processes.answers(port),
        name="the provider of this machine's cloud",
    )
