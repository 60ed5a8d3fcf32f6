import pytest

from stayput.domains import Domain, answering, hosts_of, merge, public_address, unvisited
from stayput.errors import WrongUse
from stayput.secrets import Secret
from stayput.variables import ENVIRONMENT, TABLE, refuse_overridden

LOOPBACK = (("127.0.0.1", "localhost"), ("http://127.0.0.1:8000", "http://localhost:8000"))
SERVED = (("web.example.app",), ("https://web.example.app",))


def test_what_a_project_says_is_added_each_once():
    said = {"ALLOWED_HOSTS": "Gallery.Example.com.,web.example.app,gallery.example.com,bücher.example,.example.org"}
    hosts, origins = merge(*SERVED, [(TABLE, said)])
    assert hosts == ("web.example.app", "gallery.example.com", "xn--bcher-kva.example", ".example.org")
    assert origins[1:4] == ("https://gallery.example.com", "https://xn--bcher-kva.example", "https://example.org")
    assert origins[4:] == ("https://*.example.org",)


def test_any_host_makes_no_origin():
    assert merge(*SERVED, [(TABLE, {"ALLOWED_HOSTS": "*"})]) == (("web.example.app", "*"), SERVED[1])


def test_on_plain_http_a_host_makes_no_origin():
    assert merge(*LOOPBACK, [("a file", {"ALLOWED_HOSTS": Secret("gallery.example.com")})]) == (
        (*LOOPBACK[0], "gallery.example.com"),
        LOOPBACK[1],
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ALLOWED_HOSTS", "https://gallery.example.com", r"\[variables\], ALLOWED_HOSTS"),
        ("CSRF_TRUSTED_ORIGINS", "gallery.example.com", r"\[variables\], CSRF_TRUSTED_ORIGINS"),
        ("CSRF_TRUSTED_ORIGINS", "http://gallery.example.com", "plain http"),
    ],
)
def test_what_cannot_work_is_refused_by_name(name, value, message):
    with pytest.raises(WrongUse, match=message):
        merge(*SERVED, [(TABLE, {name: value})])


@pytest.mark.parametrize("name", ["SECRET_KEY", "STAYPUT_KEY", "STAYPUT_RELEASE", "USE_S3", "AWS_STORAGE_BUCKET_NAME"])
def test_a_variable_that_a_deploy_sets_is_refused_by_name(name):
    with pytest.raises(WrongUse, match=f"{name} is set by a deploy"):
        refuse_overridden({TABLE: {name: "x"}}, "s3")


def test_a_variable_said_twice_is_refused_by_name():
    twice = {TABLE: {"DATABASE_URL": "a", "ALLOWED_HOSTS": "a"}, ENVIRONMENT: {"DATABASE_URL": Secret("b")}}
    with pytest.raises(WrongUse, match=r"DATABASE_URL is in stayput\.toml"):
        refuse_overridden(twice, "local")
    refuse_overridden({TABLE: {"ALLOWED_HOSTS": "a"}, ".env.docker": {"ALLOWED_HOSTS": Secret("b")}}, "s3")


def test_what_a_deploy_leaves_alone_may_be_said():
    refuse_overridden({TABLE: {"AWS_S3_CUSTOM_DOMAIN": "cdn.example.com", "AWS_STORAGE_BUCKET_NAME": "b"}}, "local")


def test_the_first_name_that_works_and_leads_nowhere_else_is_the_address():
    soon = Domain(name="soon.example.com", works=False, said="PENDING")
    on = Domain(name="www.example.com", redirects=True)
    assert public_address("Render", [soon, on, Domain(name="example.com")], "") == "https://example.com"
    assert hosts_of([soon, on]) == ("soon.example.com", "www.example.com")


def test_each_name_that_is_not_visited_is_said():
    soon = Domain(name="soon.example.com", works=False, said="PENDING")
    assert list(unvisited([soon, Domain(name="example.com")], "example.com,.example.org,other.example,*")) == [
        "not verified yet, so not visited: soon.example.com (PENDING)",
        "other.example is not a domain of this service, so not visited: add it there",
    ]


def test_the_site_answers_where_a_domain_works_and_is_not_sent_on():
    names = [
        Domain(name="Gallery.example.com"),
        Domain(name="soon.example.com", works=False),
        Domain(name="www.example.com", redirects=True),
    ]
    assert answering(names) == ("https://gallery.example.com",)
