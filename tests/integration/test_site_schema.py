"""The site keeps what its own OpenAPI document says, whatever it is sent."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stayput.django import tokens
from tests.integration.test_site_served import KEY, Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Without the throttle, which would answer nearly everything."""
    folder = tmp_path_factory.mktemp("schema")
    site = Site(folder)
    file = folder / "app/config/settings.py"
    text = file.read_text()
    assert "120/min" in text
    file.write_text(text.replace("120/min", "100000/min"))
    with site.served():
        yield site


# No document can say which bytes are a picture: what is sent as one may be refused.
SETTINGS = """
[[operations]]
include-name = "POST /api/images/"
checks.positive_data_acceptance.enabled = false
"""


def test_every_answer_is_one_that_the_document_promises(site: Site, tmp_path: Path):
    """Judged by schemathesis: valid and invalid requests, boundaries, and one request's answer used in the next."""
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    token = tokens.sign(KEY, purpose="upload")
    judge = Path(sys.executable).parent / "schemathesis"
    command = [judge, "run", f"{site.url}/api/schema/", "--header", f"Authorization: Bearer {token}"]
    options = ["--seed", "1", "--max-examples", "20", "--no-color"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "Tested: 6" in done.stdout, done.stdout
    assert '"level": "error"' not in site.log


def test_the_document_names_every_address_of_the_interface(site: Site):
    paths = httpx.get(f"{site.url}/api/schema/").json()["paths"]
    assert {path: sorted(methods) for path, methods in paths.items()} == {
        "/api/images/": ["get", "post"],
        "/api/images/{id}/": ["delete", "get"],
        "/api/uploads/": ["post"],
        "/api/uploads/{id}/finish/": ["post"],
    }
