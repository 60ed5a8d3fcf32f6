"""A service has several names, and not all of them work yet."""

import pytest

from stayput.errors import StayputError, WrongUse
from tests.standins.hosting import NoEdge
from tests.standins.places import release

OWN = NoEdge.domain


def test_every_name_is_allowed_and_trusted_once(place):
    place.stand_in.add_domain("Photos.example.com")
    place.stand_in.add_domain("www.photos.example.com")
    target = place.again()
    names = sorted((OWN, "photos.example.com", "www.photos.example.com"))
    assert target.hosts() == tuple(names)
    assert target.origins() == tuple(f"https://{name}" for name in names)


def test_a_domain_that_is_not_verified_is_allowed_and_not_believed(place):
    place.stand_in.add_domain("soon.example.com", verified=False)
    target = place.again()
    assert target._provider.url() == f"https://{OWN}"
    assert "soon.example.com" in target.hosts()


def test_domains_are_read_to_the_last_page(make_place_by_name):
    place = make_place_by_name("render")
    for n in range(105):
        place.stand_in.add_domain(f"d{n}.example.com")
    assert len(place.again().hosts()) == 106


def test_where_renders_own_name_is_off_the_verified_domain_is_believed(make_place_by_name):
    place = make_place_by_name("render")
    place.stand_in.subdomain = "disabled"
    place.stand_in.add_domain("www.example.com", redirects_to="example.com")
    place.stand_in.add_domain("example.com")
    assert place.again()._provider.url() == "https://example.com"
    assert OWN not in place.again().hosts()


def test_where_no_domain_works_each_is_named(make_place_by_name):
    place = make_place_by_name("render")
    place.stand_in.subdomain = "disabled"
    place.stand_in.add_domain("soon.example.com", verified=False)
    with pytest.raises(WrongUse, match=r"no domain of the service is verified yet: soon\.example\.com \(unverified\)"):
        place.again()._provider.url()


@pytest.mark.parametrize("name", ["*.photos.example.com", "your-gallery-app.example.com", "B\u00fccher.example.com."])
def test_no_name_that_a_service_may_have_stops_a_deploy(place, name):
    place.stand_in.add_domain(name)
    place.deploy(release(1))
    assert place.hosting.live
    expected = {"*": ".photos.example.com", "y": name, "B": "xn--bcher-kva.example.com"}[name[0]]
    assert expected in place.again().hosts()


def test_what_is_no_name_is_an_error_of_one_line(place):
    place.stand_in.add_domain("a..example.com")
    with pytest.raises(StayputError):
        place.again().hosts()


def test_the_order_in_which_names_are_listed_changes_no_release(place):
    place.stand_in.add_domain("b.example.com")
    place.stand_in.add_domain("a.example.com")
    assert list(place.again().hosts()) == sorted(place.target.hosts())
    assert list(place.target.origins()) == sorted(place.target.origins())


def test_a_name_that_is_not_verified_is_said_once_by_a_deploy_that_succeeds(place):
    place.stand_in.add_domain("soon.example.com", verified=False)
    place.deploy(release(1))
    assert place.hosting.live
    assert len([line for line in place.said if "soon.example.com" in line]) == 1
