from functools import cache

import hypothesis
import pytest

from stayput import redact
from tests.parts import IN_CI, PARTS


@cache
def is_there(name):
    return PARTS[name].there()


def pytest_configure(config):
    hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
    hypothesis.settings.load_profile("untimed")
    config.addinivalue_line("markers", "needs(part): runs only where that real part is; see tests/parts.py")


def pytest_runtest_setup(item):
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            if not is_there(name):
                reason = f"needs {name}, which is not on this machine. To have it: {PARTS[name].how}"
                pytest.fail(reason, pytrace=False) if IN_CI else pytest.skip(reason)


@pytest.fixture(autouse=True)
def secrets_of_this_test_alone():
    """What one test made a Secret of hides no word of the next one's messages."""
    yield
    redact.forget_all()
