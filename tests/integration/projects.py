"""Small Django projects that have nothing of Stayput, or only its Django side, on a Django of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = """\
from pathlib import Path
BASE_DIR = Path(__file__).parent.parent
SECRET_KEY = "of-this-project"
INSTALLED_APPS = ["gallery"]
ROOT_URLCONF = "project.urls"
MEDIA_ROOT = BASE_DIR / "media"
MEDIA_URL = "/media/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
"""
MANAGE = """\
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
MODELS = """\
from django.db import models
class Picture(models.Model):
    file = models.FileField()
"""
FILES = {
    "manage.py": MANAGE,
    "project/__init__.py": "",
    "project/settings.py": SETTINGS,
    "project/urls.py": "urlpatterns = []\n",
    "gallery/__init__.py": "",
    "gallery/models.py": MODELS,
}


def python_for_django_6() -> str:
    """An interpreter of 3.12 or newer: this one, one on PATH, or one of pyenv's; empty where there is none."""
    if sys.version_info >= (3, 12):
        return sys.executable
    names = ("python3.14", "python3.13", "python3.12")
    of_pyenv = sorted((Path.home() / ".pyenv/versions").glob("3.1[2-4].*/bin/python"), reverse=True)
    for candidate in (*filter(None, map(shutil.which, names)), *of_pyenv):
        if subprocess.run([candidate, "-c", "import venv"], capture_output=True).returncode == 0:
            return str(candidate)
    return ""


def environment(folder: Path, *packages: str, base: str = sys.executable) -> Path:
    """The python of a new environment of that base with those packages."""
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", base, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)
    return python


class Project:
    """A Django project in `folder`; with the Django side of Stayput if asked for."""

    def __init__(self, folder: Path, python: Path, *, stayput: bool) -> None:
        self.folder, self.python = folder, python
        for name, text in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        if stayput:
            shutil.copytree(ROOT / "stayput/django", folder / "stayput/django")
            shutil.copy(ROOT / "stayput/__init__.py", folder / "stayput")
            self.add('INSTALLED_APPS = ["stayput.django", "gallery"]')
        self.manage("makemigrations", "gallery")
        self.manage("migrate")

    def add(self, settings: str) -> None:
        with (self.folder / "project/settings.py").open("a") as file:
            file.write(f"{settings}\n")

    def manage(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
        """Run manage.py without a terminal."""
        return self.shell(*arguments, whole=True, **environ)

    def shell(
        self, *arguments: str, piped: bytes = b"", whole: bool, **environ: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run manage.py with `piped` on its standard input.

        whole: the bytes are there at the start, so that Django's shell reads them as a whole. Else they come when its
        console has said that it waits: it then reads line by line, as it always does on Windows.
        """
        command = [str(self.python), "manage.py", *arguments]
        env = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **environ}
        with tempfile.TemporaryFile() as file:
            file.write(piped)
            file.seek(0)
            pipe = subprocess.PIPE
            process = subprocess.Popen(
                command, cwd=self.folder, env=env, stdin=file if whole else pipe, stdout=pipe, stderr=pipe
            )
        assert process.stderr
        banner = b"" if whole else process.stderr.readline()
        out, err = process.communicate(None if whole else piped, timeout=60)
        return subprocess.CompletedProcess(command, process.returncode, out, banner + err)
