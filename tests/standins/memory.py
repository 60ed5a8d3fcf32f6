"""A target written by hand that keeps everything in memory: what the Protocol of targets asks for, and nothing more."""

from stayput.errors import StayputError
from stayput.release import name_build
from stayput.targets import Observed


class MemoryTarget:
    name = "memory"
    runs_images = False

    def __init__(self):
        self.tree = name_build({"source": "1"})
        self.builds, self.injected, self.running = set(), {}, {}
        self.live = None

    def hosts(self):
        return ("memory.example",)

    def origins(self):
        return ("https://memory.example",)

    def measure(self):
        return self.tree

    def observe(self):
        url = "https://memory.example"
        if self.live is None:
            return Observed(url=url, said="nothing is running")
        of = self.running[self.live]
        return Observed(
            url=url,
            release=of.id,
            build=of.build.id,
            healthy=True,
            fingerprints=of.fingerprints,
        )

    def has(self, build):
        return build.id in self.builds

    def publish(self, build):
        self.builds.add(build.id)

    def inject(self, release):
        self.injected[release.id] = release

    def migrate(self, release):
        return "nothing to migrate"

    def start(self, release):
        if release.variables.get("BROKEN") or release.build.id not in self.builds:
            raise StayputError(f"release {release.id}", "does not start", "mend it")
        self.running[release.id] = self.injected[release.id]

    def address(self, release):
        return f"https://{release.id}.memory.example"

    def promote(self, release):
        self.live = release.id

    def domains(self):
        return ()

    def polls(self):
        return range(1)

    def retire(self, release):
        self.running = {release.id: self.running[release.id]}

    def recorded(self, release):
        pass

    def withdraw(self, release):
        self.injected.pop(release.id, None)
        if release.id != self.live:
            self.running.pop(release.id, None)

    def manage(self, *arguments):
        if self.live is None:
            raise StayputError("target memory", "nothing is running", "deploy it")
        return (" ".join(arguments),)

    def logs(self, *, follow=False):
        yield from ()

    def destroy(self):
        self.live = None
        self.builds, self.injected, self.running = set(), {}, {}
