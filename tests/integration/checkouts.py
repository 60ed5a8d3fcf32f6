"""A checkout of the project in a folder of its own, to be deployed, broken and deployed again."""

import contextlib
import io
import json
import shutil
from pathlib import Path

from stayput.deploy import destroy
from stayput.processes import free_port
from stayput.report import Report, reporting
from stayput.workspace import open_workspace

ROOT = Path(__file__).parents[2]
DEPLOYED = ("app", "infra", "requirements", "manage.py", "stayput.toml", "Pulumi.yaml", "Pulumi.local.yaml")


class Checkout:
    """The project's files in `root`, and its commands as functions that give back their JSON document."""

    def __init__(self, root: Path, environments: Path) -> None:
        self.root, self.port = root, free_port()
        root.mkdir()
        (root / ".stayput").mkdir()
        (root / ".stayput" / "environments").symlink_to(environments)
        for name in DEPLOYED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, root / name)

        self.edit("stayput.toml", "port = 8000", f"port = {self.port}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workspace(self, *overrides, storage="local"):
        return open_workspace(self.root, "process", "local", [f"storage={storage}", *overrides])

    def run(self, command, *overrides, storage="local", **options):
        """(exit code, document) of a command of stayput.deploy, as ./invoke would give them."""
        out, code = io.StringIO(), 0
        with contextlib.redirect_stdout(out):
            try:
                with reporting(True) as report:
                    command(self.workspace(*overrides, storage=storage), report, **options)
            except SystemExit as ended:
                code = ended.code
        return code, json.loads(out.getvalue())

    def edit(self, name, old, new):
        path = self.root / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new))

    def append(self, name, text):
        with (self.root / name).open("a") as file:
            file.write(text)

    def clean_up(self):
        destroy(self.workspace(), Report(True))
