import pytest

from stayput.domains import Domain, answering, hosts_of, merge, origins_of, public_address, unvisited
from stayput.engine import Cloud
from stayput.errors import WrongUse
from stayput.proof.domains import of_service
from stayput.secrets import Secret
from stayput.variables import ENVIRONMENT, TABLE, of_stack, refuse_overridden

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


@pytest.mark.parametrize("name", ["AWS_S3_ENDPOINT_URL", "AWS_QUERYSTRING_AUTH"])
def test_what_only_some_stacks_set_may_be_said_where_this_one_does_not(name):
    refuse_overridden({TABLE: {name: "x"}}, "s3", of_stack(cloud()))
    with pytest.raises(WrongUse, match=f"{name} is set by a deploy"):
        refuse_overridden({TABLE: {name: "x"}}, "s3", of_stack(cloud(endpoint="http://127.0.0.1:5000", signed=True)))


def cloud(endpoint="", signed=False):
    return Cloud(engine="pulumi", outputs=None, endpoint_url=endpoint, signed_addresses=signed)


def test_a_service_may_be_called_like_a_placeholder():
    assert hosts_of([Domain(name="your-gallery-app.example.app")]) == ("your-gallery-app.example.app",)


def test_every_name_below_a_domain_is_allowed_and_trusted_and_never_visited():
    wild, own = Domain(name="*.Example.com"), Domain(name="web.example.app")
    assert hosts_of([wild]) == (".example.com",)
    assert origins_of([wild]) == ("https://*.example.com",)
    assert public_address("Railway", [wild, own], "") == "https://web.example.app"
    assert [one.name for one in of_service([wild, own], "")] == ["web.example.app"]
    with pytest.raises(WrongUse, match="no public domain"):
        public_address("Railway", [wild], "")


def test_a_name_is_kept_as_a_browser_sends_it():
    assert Domain(name="B\u00fccher.Example.org.").url == "https://xn--bcher-kva.example.org"


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
