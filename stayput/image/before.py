"""What can be known before anything is built."""

from pathlib import Path

from stayput.errors import WrongUse
from stayput.image.inputs import PIN
from stayput.project import Project
from stayput.release import read_lock, site_files

# Distributions that load a library which no wheel brings: name → the Debian packages that do, any of them.
LOADS = {
    "python-magic": ("libmagic1t64", "libmagic1"),
    "pyzbar": ("libzbar0t64", "libzbar0"),
    "weasyprint": ("libpango-1.0-0",),
    "cairosvg": ("libcairo2",),
    "cairocffi": ("libcairo2",),
    "psycopg-c": ("libpq5",),
    "mysqlclient": ("libmariadb3",),
    "pyicu": ("libicu76",),
    "python-ldap": ("libldap2", "libldap-2.5-0"),
    "xmlsec": ("libxmlsec1t64", "libxmlsec1"),
    "pylibmc": ("libmemcached11t64", "libmemcached11"),
    "soundfile": ("libsndfile1",),
    "pygobject": ("libgirepository-1.0-1",),
}


def look_before(project: Project, root: Path) -> None:
    """Raises WrongUse for a site without a start command or its manage.py, or a library missing from [image] system."""
    if not project.site.start.strip():
        raise WrongUse("stayput.toml, site.start", "is empty", "write the command that serves the site on $PORT")
    manage = project.site.manage
    if manage and manage not in (name for name, _ in site_files(root, project.site)):
        next_step = 'have it among the sources; for a site that is not Django, manage = ""'
        raise WrongUse("stayput.toml, site.manage", f"{manage} is not there, or not deployed", next_step)
    lock = read_lock(root, project.site.requirements)
    for name in (name for name, _, _ in PIN.findall(lock)):
        packages = LOADS.get(name.lower())
        if packages and not set(packages) & set(project.image.system):
            raise WrongUse(
                f"{project.site.requirements}, {name}",
                "loads a library that the image would not have",
                f'add it in stayput.toml, [image]: system = ["{packages[0]}"]',
            )
