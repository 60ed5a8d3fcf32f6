"""What can be known before anything is built."""

from pathlib import Path

from stayput.errors import WrongUse
from stayput.image.inputs import PIN
from stayput.project import Project

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
    """Raises WrongUse when a dependency loads a library that [image] system does not list."""
    lock = (root / project.site.requirements).read_text()
    for name in (name for name, _, _ in PIN.findall(lock)):
        packages = LOADS.get(name.lower())
        if packages and not set(packages) & set(project.image.system):
            raise WrongUse(
                f"{project.site.requirements}, {name}",
                "loads a library that the image would not have",
                f'add it in stayput.toml, [image]: system = ["{packages[0]}"]',
            )
