"""Ten thousand files that once were pictures; the first few hundred others are among the unit tests."""

import pytest

from tests.unit.site.mutations import mutated
from tests.unit.site.test_any_picture import check


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_ten_thousand_mutated_files_are_pictures_or_refused():
    taken = [check(data) for data in mutated(10_000, seed=1)]
    assert 1_000 < sum(taken) < 9_000
