"""Sites of other people's making, opened as they are inside an image: what is found wrong with each."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = "SECRET_KEY = 'k'\nINSTALLED_APPS = ['blog']\nDEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n"
MANAGE = """
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proj.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""
BLOG = {
    "blog/__init__.py": "",
    "blog/models.py": "from django.db import models\n\n\nclass Post(models.Model):\n    pass\n",
    "blog/views.py": "from .models import Post\n",
}
SITE = {"manage.py": MANAGE, "proj/__init__.py": "", "proj/settings.py": SETTINGS, **BLOG}
ASK = """
import sys
from pathlib import Path
from stayput.image import inside

place, installed, what = sys.argv[1:]
inside.SITE = Path(place)
inside.sysconfig.get_path = lambda name: installed
sys.path.insert(0, installed)
print(*getattr(inside, what)(), sep="\\n")
"""


def ask(root, what, variables=None):
    """The sentences of that check about the site in ROOT/site and what is installed in ROOT/installed."""
    command = [sys.executable, "-B", "-c", ASK, str(root / "site"), str(root / "installed"), what]
    bare = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        command, cwd=ROOT, env={**bare, **(variables or {})}, capture_output=True, text=True, check=True
    )
    return done.stdout.split("\n")[:-1]


def problems(root, files, start="gunicorn proj.wsgi", manage="manage.py", variables=None):
    write(root / "site", {**files, "stayput-start.json": ""})
    (root / "site/stayput-start.json").write_text(json.dumps({"start": start, "manage": manage}))
    return [line for line in ask(root, "not_importable_modules", variables) if line]


def write(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_a_site_in_a_folder_of_its_own_is_found_by_its_manage_py(tmp_path):
    moved = {f"src/{name}": text for name, text in SITE.items()}
    assert problems(tmp_path, moved, manage="src/manage.py") == []


def test_a_site_that_is_not_django_is_found_where_its_start_command_looks(tmp_path):
    files = {"src/serve.py": "import kinds\n", "src/kinds.py": ""}
    assert problems(tmp_path, files, start="uvicorn serve:app --app-dir=src", manage="") == []
    assert problems(tmp_path, files, start="python src/serve.py", manage="") == []
    assert problems(tmp_path, files, start="uvicorn serve:app", manage="") != []


def test_apps_that_the_settings_put_on_the_path_are_imported_under_the_names_they_are_installed_by(tmp_path):
    files = {f"apps/{name}" if name.startswith("blog") else name: text for name, text in SITE.items()}
    path = "import sys\nfrom pathlib import Path\nsys.path.append(str(Path(__file__).parents[1] / 'apps'))\n"
    files["proj/settings.py"] = path + SETTINGS
    assert problems(tmp_path, files) == []
    inner = {f"proj/{name}" if name.startswith("blog") else name: text for name, text in SITE.items()}
    inner["proj/settings.py"] = path.replace("'apps'", "'proj'") + SETTINGS.replace("'blog'", "'proj.blog'")
    (tmp_path / "inner").mkdir()
    assert problems(tmp_path / "inner", inner) == []


def test_the_settings_are_those_that_the_variables_of_stayput_toml_name(tmp_path):
    needs = "import os\n\nDOMAIN = os.environ['DOMAIN']\n" + SETTINGS
    files = {**SITE, "proj/live.py": needs}
    del files["proj/settings.py"]
    named = {"DJANGO_SETTINGS_MODULE": "proj.live", "DOMAIN": "d"}
    assert problems(tmp_path, files, variables=named) == []
    del named["DOMAIN"]
    assert problems(tmp_path, files, variables=named) == ["manage.py: Django cannot be set up: KeyError: 'DOMAIN'"]


def test_what_serves_nobody_may_lack_something_and_what_serves_may_not(tmp_path):
    lacking = "import nothing_such\n"
    idle = {"blog/tests/__init__.py": "", "blog/tests/test_views.py": lacking, "conftest.py": lacking}
    idle |= {"gunicorn.conf.py": "workers = 1\n", "templates/conf.py": "{{ one }} = {% two %}\n", "{{x}}/a.py": lacking}
    assert problems(tmp_path, {**SITE, **idle}) == []
    broken = {**SITE, "blog/latest.py": lacking, "blog/conf.py": "{{ one }} = {% two %}\n"}
    said = problems(tmp_path, broken)
    assert said[0].startswith("import blog.conf: SyntaxError: ")
    assert said[1:] == ["import blog.latest: ModuleNotFoundError: No module named 'nothing_such'"]


@pytest.mark.parametrize(
    ("raised", "found"),
    [("django.core.exceptions.ImproperlyConfigured('settings')", []), ("ImportError('libx')", ["one: import one: "])],
)
def test_a_distribution_that_only_waits_for_a_site_lacks_nothing(tmp_path, raised, found):
    info = "one-1.0.dist-info"
    record = {f"{info}/METADATA": "Metadata-Version: 2.1\nName: one\nVersion: 1.0\n", f"{info}/RECORD": "one.py,,\n"}
    write(tmp_path / "installed", {"one.py": f"import django.core.exceptions\nraise {raised}\n", **record})
    said = [line for line in ask(tmp_path, "not_importable_dependencies") if line]
    assert [line[: len(start)] for line, start in zip(said, found, strict=True)] == found
