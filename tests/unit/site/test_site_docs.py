"""docs/site.md says what the site does."""

from pathlib import Path

from app.uploads.events import EVENTS
from stayput.django.variables import VARIABLES

DOCS = Path("docs/site.md").read_text()


def test_every_event_is_in_the_table_of_events():
    wanted = [f"| `{name}` | {description} |" for name, description in EVENTS.items()]
    assert [
        line for line in DOCS.splitlines() if line.startswith(("| `image.", "| `upload.", "| `storage.", "| `sweep."))
    ] == wanted


def test_every_variable_is_in_the_table_of_variables():
    setter = {"ours": "a deploy", "theirs": "the platform, or you"}
    assert [v.name for v in VARIABLES if f"| `{v.name}` | {v.needed} | {setter[v.owner]} |" not in DOCS] == []
