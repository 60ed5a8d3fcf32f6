"""A Docker engine of a test's own, that it may stop: its own socket, store and bridge beside the machine's."""

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from docker.errors import DockerException

import docker
from tests.parts import engine_programs


@dataclass
class OwnEngine:
    home: Path
    running: subprocess.Popen | None = field(default=None)

    @property
    def address(self):
        return f"unix://{self.home}/engine.sock"

    def start(self):
        path = {"PATH": f"{engine_programs()}:{os.environ['PATH']}"}
        command = ["dockerd", "--config-file", str(self.home / "engine.json")]
        with (self.home / "engine.log").open("a") as log:
            self.running = subprocess.Popen(command, env=os.environ | path, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while not self.answers():
            assert self.running.poll() is None and time.monotonic() < until, (self.home / "engine.log").read_text()[
                -2000:
            ]
            time.sleep(0.1)

    def answers(self):
        try:
            return docker.DockerClient(self.address).ping()
        except DockerException:
            return False

    def stop(self):
        self.running.send_signal(signal.SIGTERM)
        self.running.wait(60)

    def load(self, image):
        """Have an image of the machine's engine here too, under the same digest."""
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
            into = ["docker", "--host", self.address, "load", "--quiet"]
            subprocess.run(into, stdin=saving.stdout, check=True, capture_output=True)


@contextmanager
def engine_of_its_own(home):
    """An engine whose containers publish ports on 127.0.0.1 and reach nothing; the firewall stays as it is."""
    bridge = f"stayput{os.getpid()}"
    settings = {
        "features": {"containerd-snapshotter": True},
        "hosts": [f"unix://{home}/engine.sock"],
        "pidfile": str(home / "engine.pid"),
        "data-root": str(home / "data"),
        "exec-root": str(home / "run"),
        "bridge": bridge,
        **dict.fromkeys(("iptables", "ip6tables", "ip-forward", "ip-masq"), False),
    }
    (home / "engine.json").write_text(json.dumps(settings))
    for arguments in (
        ["link", "add", bridge, "type", "bridge"],
        ["addr", "add", f"198.18.{os.getpid() % 250}.1/24", "dev", bridge],
        ["link", "set", bridge, "up"],
    ):
        subprocess.run(["ip", *arguments], check=True)
    engine = OwnEngine(home)
    try:
        engine.start()
        yield engine
    finally:
        if engine.running and engine.running.poll() is None:
            engine.stop()
        subprocess.run(["ip", "link", "delete", bridge], check=True)
        shutil.rmtree(home, ignore_errors=True)
