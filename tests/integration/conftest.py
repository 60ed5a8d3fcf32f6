import pytest

from tests.conftest import is_there
from tests.integration.checkouts import Checkout
from tests.integration.images import remove_ours
from tests.integration.postgresql import postgresql_server as postgresql_server
from tests.integration.strict_aws import strict_aws as strict_aws
from tests.integration.strict_s3 import strict_s3 as strict_s3


@pytest.fixture(scope="session")
def environments(tmp_path_factory):
    """The Python environments of releases: made once a session, as on a machine that deploys every day."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def checkout(tmp_path, environments):
    """In a folder with a name that an address or a shell would trip over."""
    made = Checkout(tmp_path / "a folder #1%", environments)
    yield made
    made.clean_up()


def pytest_sessionfinish():
    """Nothing is left in the engine of what these tests built."""
    if is_there("docker"):
        remove_ours()
