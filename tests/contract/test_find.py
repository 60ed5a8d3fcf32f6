"""Finding the service that stayput.toml names: by name or id, on any page, and what is said where it is not there."""

import pytest

from stayput.errors import WrongUse
from stayput.targets.koyeb import Koyeb
from stayput.targets.railway import Railway
from stayput.targets.render import Render


def named(place, service):
    """The provider as it is opened with that service."""
    api = place.again()._provider.api
    match place.target.name:
        case "render":
            return Render(api, service, str)
        case "koyeb":
            return Koyeb(api, "gallery", service, str)
        case _:
            return Railway(api, "gallery", "production", service, str)


def id_of(place):
    return {"render": "srv-1", "koyeb": "5e000000-0000-4000-8000-000000000001", "railway": "s1"}[place.target.name]


def test_it_is_found_by_its_id_too(place):
    assert place.hosting.edge.domain in named(place, id_of(place)).url()
    assert named(place, id_of(place)).deployments() is not None


def test_it_is_found_on_the_last_page_of_many(place):
    place.stand_in.others, place.stand_in.page = 230, 100
    provider = named(place, "gallery" if place.target.name == "render" else "web")
    assert [one.id for one in provider.deployments()] in ([], ["de91070000"])


def test_where_it_is_not_all_that_was_found_is_listed(place):
    place.stand_in.others, place.stand_in.page = 110, 100
    with pytest.raises(WrongUse) as refused:
        named(place, "nowhere").deployments()
    said = str(refused.value)
    assert "no services have the name nowhere; found: " in said
    assert all(name in said for name in ("other-0", "other-109", "twin", id_of(place)))


def test_where_it_is_not_unique_those_that_have_the_name_are_listed(place):
    with pytest.raises(WrongUse) as refused:
        named(place, "twin").deployments()
    what, next_step = refused.value.what, refused.value.next_step
    assert what.startswith("2 services have the name twin; found: twin (")
    assert id_of(place) not in what
    assert "name it by its id" in next_step
