"""What a stand-in runs when it is told to deploy: the real site, or a light one that only says who it is."""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from stayput.errors import StayputError
from stayput.processes import free_port
from stayput.release import name_build

REPOSITORY = "registry.example.com/team/gallery"


class DoesNotStart(Exception):
    """`stage` is "pre-deploy" or "start"; `lines` is what was logged."""

    def __init__(self, stage, lines):
        self.stage, self.lines = stage, lines


def reference(build_id):
    return f"{REPOSITORY}@sha256:{hashlib.sha256(build_id.encode()).hexdigest()}"


class LightImages:
    """A Source without images: builds are names."""

    def __init__(self, *builds):
        self.tree = name_build({"source": "1"})
        self.builds = {build.id for build in builds}

    def measure(self):
        return self.tree

    def has(self, build):
        return build.id in self.builds

    def publish(self, build):
        self.builds.add(build.id)

    def deviations(self):
        return ()

    def reference(self, build):
        if build.id not in self.builds:
            raise StayputError(f"build {build.id}", "has no image", "make it: invoke build")
        return reference(build.id)


class ProcessImages:
    """A Source whose images are the builds of a process target, named like images."""

    def __init__(self, process):
        self._process = process

    def measure(self):
        return self._process.measure()

    def has(self, build):
        return self._process.has(build)

    def publish(self, build):
        self._process.publish(build)

    def deviations(self):
        return ()

    def reference(self, build):
        return reference(build.id)


class LightSites:
    """Starts a server that answers /healthz as the site does, and nothing else."""

    def __init__(self, images):
        self.images = images
        self.broken = None  # a DoesNotStart to raise instead

    def start(self, image, variables, before=""):
        if self.broken:
            raise self.broken
        build = next((one for one in self.images.builds if reference(one) == image), None)
        if build is None:
            raise DoesNotStart("start", [f"manifest for {image} is not known"])
        return self.open({"status": "ok", "release": variables.get("STAYPUT_RELEASE", ""), "build": build})

    def open(self, health):
        body = json.dumps(health).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return LightSite(ThreadingHTTPServer(("127.0.0.1", 0), Handler), health)


class LightSite:
    def __init__(self, server, health):
        self._server, self.health = server, health
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def log(self):
        return ["the light site is up"]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class ProcessSites:
    """Starts the site for real, as a provider does: a fresh disk, the variables it was given, plain HTTP on $PORT."""

    def __init__(self, home, environments):
        self._builds, self._environments, self._disks = home / "process" / "builds", environments, home / "disks"
        self._number = 0

    def folder_of(self, image):
        """Where the build of that image lies."""
        return next((one for one in self._builds.iterdir() if reference(one.name) == image), None)

    def start(self, image, variables, before=""):
        build = self.folder_of(image)
        if build is None:
            raise DoesNotStart("start", [f"manifest for {image} is not known"])
        self._number += 1
        disk = self._disks / str(self._number)
        shutil.copytree(build, disk)
        parts = json.loads((build / "stayput-build.json").read_text())["parts"]
        python = self._environments / parts["dependencies"][:12] / "bin"
        port = free_port()
        env = {"PATH": f"{python}:{os.defpath}", "HOME": str(disk), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        # Behind a real edge the proxy is not on this machine, so gunicorn must not trust it by itself.
        env["GUNICORN_CMD_ARGS"] = f"--bind 127.0.0.1:{port} --forwarded-allow-ips 192.0.2.1"
        env |= variables
        if before:
            done = subprocess.run(shlex.split(before), cwd=disk, env=env, capture_output=True, text=True, check=False)
            if done.returncode:
                raise DoesNotStart("pre-deploy", done.stderr.splitlines())
        log = disk.with_suffix(".log")
        command = shlex.split("gunicorn -c app/config/gunicorn.py app.config.wsgi")
        command[0] = str(python / command[0])
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=disk, env=env, stdout=output, stderr=subprocess.STDOUT)
        site = ProcessSite(process, port, log, disk)
        site.await_health()
        return site


class ContainerSites:
    """Runs images from their registry by digest, as a provider does: a fresh disk each, $PORT, the variables given."""

    def __init__(self, home):
        self.database = home / "theirs"
        self.database.mkdir(mode=0o777)
        self.database.chmod(0o777)  # the image's user is not ours

    def start(self, image, variables, before=""):
        port = free_port()
        # Behind a real edge the proxy is not on this machine, so gunicorn must not trust it by itself.
        bind = f"--bind 127.0.0.1:{port} --forwarded-allow-ips 192.0.2.1"
        given = variables | {"PORT": str(port), "GUNICORN_CMD_ARGS": bind}
        if before:
            done = self._docker(given, "run", "--rm", image, *shlex.split(before))
            if done.returncode:
                raise DoesNotStart("pre-deploy", done.stderr.splitlines())
        done = self._docker(given, "run", "--detach", image)
        if done.returncode:
            raise DoesNotStart("start", done.stderr.splitlines())
        site = ContainerSite(done.stdout.strip(), port)
        site.await_health()
        return site

    def _docker(self, given, command, option, image, *arguments):
        """Values go through the environment: an argument list is seen by everybody."""
        names = [word for name in given for word in ("--env", name)]
        place = ["--network", "host", "--volume", f"{self.database}:/theirs"]
        env = {**os.environ, **given}
        words = ["docker", command, option, *place, *names, image, *arguments]
        return subprocess.run(words, env=env, capture_output=True, text=True, check=False)


class ContainerSite:
    def __init__(self, id, port):
        self._id, self.port = id, port

    def await_health(self):
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/healthz", headers={"Host": "probe.internal"}).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        lines = self.log()
        self.stop()
        raise DoesNotStart("start", lines)

    def log(self):
        said = subprocess.run(["docker", "logs", self._id], capture_output=True, text=True, check=False)
        return [*said.stdout.splitlines(), *said.stderr.splitlines()]

    def stop(self):
        subprocess.run(["docker", "rm", "--force", "--volumes", self._id], capture_output=True, check=False)


class ProcessSite:
    def __init__(self, process, port, log, disk):
        self._process, self.port, self._log, self._disk = process, port, log, disk

    def await_health(self):
        deadline = time.monotonic() + 40
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/healthz", headers={"Host": "probe.internal"}).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        self.stop()
        raise DoesNotStart("start", self.log())

    def log(self):
        return self._log.read_text(errors="replace").splitlines()

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._disk, ignore_errors=True)
