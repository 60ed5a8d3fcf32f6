import pytest

from tests.integration.checkouts import Checkout


@pytest.fixture(scope="session")
def environments(tmp_path_factory):
    """The Python environments of releases: made once a session, as on a machine that deploys every day."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def checkout(tmp_path, environments):
    made = Checkout(tmp_path, environments)
    yield made
    made.clean_up()
