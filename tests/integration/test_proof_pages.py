"""The pages of a site, as the proof visits them."""

from urllib.parse import urlsplit

import pytest

from stayput.proof.pages import check_pages
from tests.standins.pictures import PictureSite

HTML = {"Content-Type": "text/html; charset=utf-8"}
CSS, JS, PNG = {"Content-Type": "text/css"}, {"Content-Type": "text/javascript"}, {"Content-Type": "image/png"}


@pytest.fixture
def site():
    made = PictureSite()
    yield made
    made.close()


def visited(site, pages=("/",), public=""):
    """(ok, detail) of the last page."""
    return [(check.ok, check.detail) for check in check_pages(site.url, public, pages)][-1]


def paths(site):
    return [path for _, path, _ in site.asked]


def test_a_page_with_its_files_is_well(site):
    site.pages["/"] = 200, HTML, '<link rel=stylesheet href="/static/a.css"><script src="/static/b.js"></script>'
    site.pages["/static/a.css"] = 200, CSS, "body { background: url(c.png) }"
    site.pages["/static/b.js"] = 200, JS, ""
    site.pages["/static/c.png"] = 200, PNG, b"png"
    assert visited(site) == (True, "answers 200, with its 2 files")
    assert sorted(paths(site)) == ["/", "/static/a.css", "/static/b.js", "/static/c.png"]


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("pages", [None, ("/",)])
def test_a_page_that_fails_is_wrong(site, status, pages):
    site.pages["/"] = status, HTML, "<h1>Server Error</h1>"
    assert visited(site, pages) == (False, f"answers {status}")


@pytest.mark.parametrize("status", [401, 403])
def test_a_page_that_asks_for_a_login_is_no_fault(site, status):
    site.pages["/"] = status, HTML, "<h1>Who is there?</h1>"
    assert visited(site) == (True, f"asks for a login ({status})")


def test_a_page_that_is_not_there_is_a_fault_only_where_it_was_named(site):
    assert visited(site, None) == (True, "there is none (404)")
    assert visited(site, ("/",)) == (False, "answers 404")
    assert visited(site, ("/", "/login/"))[0] is False
    assert not list(check_pages(site.url, "", ()))


def test_a_name_that_the_site_does_not_answer_to_is_a_fault_with_its_remedy(site):
    site.pages["/"] = 400, HTML, "<h1>Bad Request</h1>"
    (found,) = check_pages(site.url, "https://gallery.example.com", None)
    assert (found.ok, found.detail) == (False, "answers 400")
    assert found.remedy == "let the site answer under its name: gallery.example.com belongs in ALLOWED_HOSTS"


def test_a_page_without_content_is_a_fault(site):
    site.pages["/"] = 200, HTML, "  \n"
    assert visited(site) == (False, "answers 200 and nothing else")


@pytest.mark.parametrize(
    "named",
    [
        '<link rel="stylesheet" href="/static/gone.png">',
        '<LINK REL="Shortcut Icon" HREF=/static/gone.png>',
        '<link rel="preload" imagesrcset="/static/gone.png 1x">',
        '<script type="module" src="static/gone.png"></script>',
        '<img src="/static/gone.png#there">',
        '<img srcset="/static/here.png, /static/gone.png 2x">',
        '<picture><source srcset="data:image/gif;base64,R0lG 1x, /static/gone.png 2x"></picture>',
        '<video poster="/static/gone.png"></video>',
        '<svg><use href="/static/gone.png#icon"></use></svg>',
        '<div style="background: url(&quot;/static/gone.png&quot;)"></div>',
        "<style>@import '/static/gone.png';</style>",
        '<base href="/static/"><img src="gone.png">',
        '<link rel="stylesheet" href="/static/a.css">',
        '<link rel="stylesheet" href="/static/b.css">',
    ],
)
@pytest.mark.parametrize("status", [404, 500])
def test_a_file_of_the_site_that_a_page_names_and_that_does_not_load_is_a_fault(site, named, status):
    site.pages["/"] = 200, HTML, named
    site.pages["/static/gone.png"] = status, HTML, "gone"
    site.pages["/static/here.png"] = 200, PNG, b"png"
    site.pages["/static/a.css"] = 200, CSS, '@import "gone.png";'
    site.pages["/static/b.css"] = 200, CSS, "i{src: url( 'here.png' ), url(gone.png?#iefix)}"
    ok, detail = visited(site)
    assert not ok
    assert f"/static/gone.png, which answers {status}" in detail


@pytest.mark.parametrize(
    "named",
    [
        '<link rel="stylesheet" href="https://elsewhere.example.com/a.css">',
        '<link rel="canonical" href="/gone"><link rel="alternate" href="/gone">',
        '<a href="/gone">there</a><iframe src="/gone"></iframe>',
        "<template><img src=/gone></template><!-- <img src=/gone> -->",
        '<script>let page = "<img src=/gone>"</script>',
        '<img src="data:image/png;base64,AAAA"><img src=""><img src="http://[">',
        "<style>/* url(/gone) */ a { fill: url(#gone) }</style>",
        '<img src="/media/lost.webp">',
    ],
)
def test_what_is_no_file_of_the_release_is_not_asked_for(site, named):
    site.pages["/"] = 200, HTML, named
    assert visited(site) == (True, "answers 200, with no file of its own")
    assert paths(site) == ["/"]


def test_a_stylesheet_that_is_a_page_is_a_fault(site):
    site.pages["/"] = 200, HTML, '<link rel="stylesheet" href="/static/a.css">'
    site.pages["/static/a.css"] = 302, {"Location": "/login/"}, ""
    site.pages["/login/"] = 200, HTML, "<form></form>"
    assert visited(site) == (False, "names /static/a.css, which answers with a page")


def test_redirects_inside_of_the_site_are_followed_with_its_cookies(site):
    site.pages["/"] = 302, {"Location": "/login/?next=/", "Set-Cookie": "seen=1"}, ""
    site.pages["/login/?next=/"] = 200, HTML, "<form></form>"
    assert visited(site, None) == (
        True,
        f"leads to {site.url}/login/, which answers 200, with no file of its own",
    )
    assert site.asked[-1][2]["Cookie"] == "seen=1"
    del site.pages["/login/?next=/"]
    assert visited(site, None) == (False, f"leads to {site.url}/login/, which answers 404")


def test_a_page_of_another_site_is_not_visited(site):
    site.pages["/"] = 302, {"Location": "https://login.example.com/?state=s3cr3t"}, ""
    assert visited(site) == (True, "leads to another site: https://login.example.com/")


def test_redirects_without_an_end_are_named(site):
    site.pages["/"] = 302, {"Location": "/a"}, ""
    site.pages["/a"] = 302, {"Location": "/"}, ""
    ok, detail = visited(site)
    assert not ok
    assert "leads on for ever" in detail


def test_a_release_that_does_not_see_https_is_named(site):
    site.pages["/"] = 301, {"Location": "https://gallery.example.com/"}, ""
    (found,) = check_pages(site.url, "https://gallery.example.com", None)
    assert not found.ok
    assert "from https://gallery.example.com/ to https://gallery.example.com/" in found.detail
    assert "SECURE_PROXY_SSL_HEADER" in found.remedy


def test_a_site_over_http_that_sends_people_to_https_is_named(site):
    site.pages["/"] = 301, {"Location": f"{site.url.replace('http', 'https')}/"}, ""
    ok, detail = visited(site)
    assert not ok
    assert "where nothing answers https" in detail


def test_a_release_behind_its_edge_is_asked_as_the_edge_asks_it(site):
    site.pages["/"] = 302, {"Location": "https://gallery.example.com/login/"}, ""
    site.pages["/login/"] = 200, HTML, '<img src="https://gallery.example.com/static/a.png">'
    site.pages["/static/a.png"] = 200, PNG, b"png"
    (found,) = check_pages(site.url, "https://gallery.example.com", None)
    assert found.ok, found.detail
    assert paths(site) == ["/", "/login/", "/static/a.png"]
    for _, _, headers in site.asked:
        assert (headers["Host"], headers["X-Forwarded-Proto"]) == ("gallery.example.com", "https")


def test_the_public_address_is_asked_without_the_words_of_an_edge(site):
    site.pages["/"] = 200, HTML, "hello"
    assert visited(site, public=f"{site.url}/")[0]
    assert "X-Forwarded-Proto" not in site.asked[0][2]
    assert site.asked[0][2]["Host"] == urlsplit(site.url).netloc


def test_a_page_that_is_no_html_is_well(site):
    site.pages["/"] = 200, {"Content-Type": "application/json"}, "{}"
    assert visited(site) == (True, "answers 200")
