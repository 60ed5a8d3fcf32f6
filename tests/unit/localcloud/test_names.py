"""Physical names, made as the provider makes them."""

import re

import pytest

from stayput.localcloud.names import bucket_name_fault, named


def test_a_name_that_is_given_is_kept():
    assert named("media", "bucket", {"bucket": "our-photos"}, None) == {"bucket": "our-photos"}


def test_a_name_that_is_not_given_is_made_up_with_seven_hex_digits():
    assert re.fullmatch(r"media-[0-9a-f]{7}", named("media", "bucket", {}, None)["bucket"])


def test_a_made_up_name_stays_from_one_run_to_the_next():
    first = named("media", "bucket", {}, None)
    assert named("media", "bucket", {}, first) == first


def test_a_name_that_was_given_once_and_is_no_longer_does_not_stay():
    given = named("media", "bucket", {"bucket": "our-photos"}, None)
    assert named("media", "bucket", {}, given)["bucket"] != "our-photos"


def test_two_made_up_names_differ():
    assert named("media", "bucket", {}, None) != named("media", "bucket", {}, None)


def test_a_resource_without_a_name_gets_none():
    assert named("media", "", {"bucket": "b"}, None) == {"bucket": "b"}


@pytest.mark.parametrize("name", ["our-photos", "a.b.c", "123"])
def test_a_name_that_s3_takes_has_no_fault(name):
    assert bucket_name_fault(name) == ""


@pytest.mark.parametrize("name", ["ab", "a" * 64, "Photos", "our_photos", "-photos", "a..b", "10.0.0.1"])
def test_a_name_that_s3_refuses_has_its_fault_said(name):
    assert bucket_name_fault(name)
