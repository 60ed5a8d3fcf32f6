"""The diagnosis as one file that can be piped into `manage.py shell` of a project without Stayput.

On Windows, Django's shell reads what is piped line by line, as if it were typed: a blank line would end a function.
So each module travels as one long text, the rest is single lines, all of it is ASCII, and the first line may be lost
to a byte-order mark.
"""

import re
from pathlib import Path

# In the order in which they import each other.
MODULES = ("modules", "addresses", "parsers", "s3_values", "bucket", "disks", "checks", "refusals", "diagnose")
PACKAGE = "stayput_piped"

HEAD = f'''\
# Stayput's diagnosis, made by: python manage.py diagnose --script > docs/diagnose.py
# Pipe it in: python manage.py shell < diagnose.py
#   Windows: Get-Content diagnose.py | python manage.py shell -i python
# It shows what works and what does not, and takes away whatever it writes.
import sys, types
sys.ps1 = sys.ps2 = ""
{PACKAGE} = sys.modules["{PACKAGE}"] = types.ModuleType("{PACKAGE}")
'''
EACH = """\
{name} = {package}.{name} = sys.modules["{package}.{name}"] = types.ModuleType("{package}.{name}")
exec(compile(r'''{source}''', "{name}", "exec"), {name}.__dict__)
"""
TAIL = """\
sys.exit(0 if diagnose.tell(sys.stdout.write, sys.stdout.encoding) else 1)
"""


def piped() -> str:
    """The text of docs/diagnose.py."""
    folder = Path(__file__).parent
    sources = {name: (folder / f"{name}.py").read_text("utf-8") for name in MODULES}
    return HEAD + "".join(each(name, source) for name, source in sources.items()) + TAIL


def each(name: str, source: str) -> str:
    text = re.sub(r"^from stayput\.django(\.\w+)? import", rf"from {PACKAGE}\1 import", source, flags=re.MULTILINE)
    if "'''" in text or not text.isascii():
        raise ValueError(f"{name}.py cannot travel as a text: it holds ''' or is not ASCII")
    return EACH.format(name=name, package=PACKAGE, source=text)
