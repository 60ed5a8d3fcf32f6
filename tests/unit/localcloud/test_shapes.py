"""The provider's names and AWS's, one onto the other and back."""

import pytest

from stayput.localcloud.shapes import from_aws, to_aws, unknown, whole

SHAPE = {"id": "ID", "rules": ("Rules", {"maxAge": "MaxAgeSeconds", "filter": ("Filter", {"prefix": "Prefix"})})}
PROPERTIES = {"id": "a", "rules": [{"maxAge": 60, "filter": {"prefix": "x/"}}, {"maxAge": 1}]}
STRUCTURE = {"ID": "a", "Rules": [{"MaxAgeSeconds": 60, "Filter": {"Prefix": "x/"}}, {"MaxAgeSeconds": 1}]}


def test_properties_become_the_structure_that_aws_takes():
    assert to_aws(SHAPE, PROPERTIES) == STRUCTURE


def test_what_aws_says_becomes_properties_again_without_what_nobody_asked_for():
    assert from_aws(SHAPE, STRUCTURE | {"ResponseMetadata": {}}) == PROPERTIES


@pytest.mark.parametrize(
    ("properties", "paths"),
    [
        (PROPERTIES, []),
        ({"tags": {}}, ["tags"]),
        ({"rules": [{}, {"tags": {}}]}, ["rules[1].tags"]),
        ({"rules": [{"filter": {"size": 1}}]}, ["rules[0].filter.size"]),
    ],
)
def test_a_property_that_the_shape_does_not_know_is_named_by_its_path(properties, paths):
    assert list(unknown(SHAPE, properties)) == paths


def test_numbers_that_the_wire_made_floats_are_whole_again():
    assert repr(whole({"a": [3600.0, 0.5, True, "7.0"]})) == repr({"a": [3600, 0.5, True, "7.0"]})
