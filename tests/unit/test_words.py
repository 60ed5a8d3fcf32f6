"""The English of the field: words that no name, message, docstring or comment of the product uses."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTEAD = {
    "nobody": "none, no one with a name, or say it without",
    "somebody": "name who: another command, a person, an account",
    "whoever": "name who: the caller, the sender, a reader",
    "astray": "differing, or drift",
    "told": "reported, shown, known",
    "lent to": "given to",
    "by its own word": "as it reports",
    "road": "deploy, rollback, or the steps",
    "a way on": "the next step",
}
NOT_USED = re.compile(rf"\b({'|'.join(INSTEAD)})\b", re.IGNORECASE)
READ = [
    "stayput/**/*.py",
    "app/**/*.py",
    "infra/**/*.py",
    "docker/*",
    "tasks.py",
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
]


def test_words_that_readers_of_this_field_do_not_use_are_not_used():
    found = []
    for file in sorted(one for pattern in READ for one in ROOT.glob(pattern) if one.is_file()):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            for word in NOT_USED.findall(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {word}: {INSTEAD[word.lower()]}")
    assert found == []
