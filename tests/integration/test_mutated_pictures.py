"""Ten thousand files that once were pictures; the first few hundred others are among the unit tests."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.test_site_memory import change
from tests.integration.test_site_served import Site, bucket, with_s3
from tests.integration.test_site_served import s3 as s3
from tests.unit.site.mutations import mutated
from tests.unit.site.test_any_picture import check


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_ten_thousand_mutated_files_are_pictures_or_refused():
    taken = [check(data) for data in mutated(10_000, seed=1)]
    assert 1_000 < sum(taken) < 9_000


@pytest.fixture
def site(tmp_path: Path, s3: str) -> Iterator[Site]:
    """Served as it is deployed, on an S3, without the throttle."""
    site = Site(tmp_path, **with_s3(s3))
    change(tmp_path / "app/config/settings.py", "120/min", "100000/min")
    with site.served():
        yield site


def test_the_server_takes_or_refuses_each_mutated_file_and_never_fails(site: Site, s3: str):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(site.upload, mutated(500, seed=2)))
    taken = [answer.json() for answer in answers if answer.status_code == 201]
    refused = [answer.json()["image"] for answer in answers if answer.status_code == 400]
    assert len(taken) + len(refused) == 500, {answer.status_code for answer in answers}
    assert 50 < len(taken) < 450
    assert all(len(said) == 1 and said[0].endswith(".") for said in refused)
    stored = {summary.key for summary in bucket(s3).objects.all()}
    assert stored == {f"media/{one['id']}{end}" for one in taken for end in (".webp", "-thumbnail.png")}
    assert '"level": "error"' not in site.log
