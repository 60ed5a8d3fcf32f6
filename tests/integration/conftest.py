import pytest

from tests.integration.checkouts import Checkout


@pytest.fixture
def checkout(tmp_path):
    made = Checkout(tmp_path)
    yield made
    made.clean_up()
