"""Variables of the environment that no library could use are one line that shows no value."""

import string

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayput.environment import address, check, check_aws
from stayput.errors import WrongUse

PASSWORD = "w0rd-of-theirs"
CLIENT = httpx.Client()


@pytest.mark.parametrize(
    "given",
    [
        "api.example.com",
        "https://",
        "ftp://api.example.com",
        "https://api example.com",
        "https://api.example.com:99999",
        "https://api.example.com:port",
        "https://api.example.com\n",
        "https://api.\x00example.com",
        "https://[::1",
        "https://xn--/",
        "https://api.example.com?key=" + PASSWORD,
        "//" + PASSWORD,
    ],
)
def test_an_address_that_cannot_work_is_refused_by_its_variable(given):
    if given.endswith("\n"):
        assert address("RENDER_API_URL", given) == given.strip()
        return
    with pytest.raises(WrongUse, match="RENDER_API_URL: is no address of an API") as refused:
        address("RENDER_API_URL", given)
    assert PASSWORD not in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("given", ["http://127.0.0.1:8000/v1", "https://bücher.example", " https://api.example.com/ "])
def test_an_address_that_works_is_taken(given):
    assert address("RENDER_API_URL", given) == given.strip()


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(string.ascii_letters + ":/@.[]%?#\\", max_size=60).map("https://{}".format))
def test_whatever_an_address_is_it_is_refused_or_can_be_asked(given):
    try:
        taken = address("RENDER_API_URL", given)
    except WrongUse as refused:
        assert str(refused).isprintable()
    else:
        assert CLIENT.build_request("GET", taken.rstrip("/") + "/services").url.host


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("HTTPS_PROXY", f"ftp://user:{PASSWORD}@proxy"),
        ("https_proxy", f"http://user:{PASSWORD}@proxy:port"),
        ("HTTP_PROXY", "http://"),
        ("ALL_PROXY", f"socks4://{PASSWORD}"),
        ("http_proxy", "two words"),
        ("SSL_CERT_FILE", f"/nowhere/{PASSWORD}.pem"),
        ("SSL_CERT_FILE", __file__),
        ("SSL_CERT_FILE", "/"),
        ("SSL_CERT_DIR", "/nowhere"),
        ("AWS_CONFIG_FILE", "/"),
        ("REQUESTS_CA_BUNDLE", "/nowhere"),
    ],
)
def test_a_setting_that_no_library_takes_is_refused_by_its_name_without_its_value(name, given):
    with pytest.raises(WrongUse) as refused:
        check({name: given})
    assert refused.value.where == name
    assert PASSWORD not in str(refused.value)


def test_settings_that_work_are_taken():
    check({"HTTPS_PROXY": f"http://user:{PASSWORD}@proxy:3128", "http_proxy": "proxy:3128", "NO_PROXY": "*"})
    check({"HTTPS_PROXY": "", "SSL_CERT_DIR": "/nowhere:/", "AWS_CONFIG_FILE": "/nowhere"})


def test_a_profile_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(WrongUse, match=r"\(nobody\) could not be found"):
        check_aws({"AWS_PROFILE": "nobody"})


@given(
    st.dictionaries(
        st.sampled_from(["HTTP_PROXY", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CONFIG_FILE"]),
        st.text(max_size=40),
    )
)
def test_no_value_gives_a_traceback(environment):
    try:
        check(environment)
    except WrongUse as refused:
        assert str(refused).isprintable()
