"""The slices of the official contracts, held against the official files where these are at hand."""

import pytest

from tests.contracts import slice as slicing
from tests.standins.contracts import FOLDER


@pytest.mark.skipif(
    not slicing.OFFICIAL.is_dir(),
    reason=f"the official contracts are not in {slicing.OFFICIAL}; STAYPUT_SCHEMAS names another folder",
)
def test_the_slices_are_what_the_official_contracts_say_today():
    differing = [name for name, content in slicing.slices() if (FOLDER / name).read_text(encoding="utf-8") != content]
    assert differing == [], "make them anew: python tests/contracts/slice.py"


def test_a_slice_holds_no_text_of_its_owner():
    texts = [
        line
        for name in slicing.OPERATIONS
        for line in (FOLDER / name).read_text().splitlines()
        if '"description": "' in line
    ]
    assert texts == []
    assert '"""' not in (FOLDER / slicing.RAILWAY).read_text()
