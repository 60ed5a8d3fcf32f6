from tests.integration.conftest import checkout as checkout
from tests.integration.conftest import environments as environments
