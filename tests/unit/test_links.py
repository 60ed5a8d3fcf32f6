from hypothesis import given
from hypothesis import strategies as st

from stayput.proof.links import in_page, in_stylesheet

URL = "https://site.example/page/"


def test_addresses_are_absolute_without_a_fragment_each_once_and_in_their_order():
    page = '<img src="b.png#x"><img src="/a.png"><img src="b.png"><script src="//cdn.example/c.js"></script>'
    assert in_page(page, URL) == (f"{URL}b.png", "https://site.example/a.png", "https://cdn.example/c.js")


def test_each_address_of_a_srcset_is_found():
    page = '<img srcset="a.png, b.png?w=1,2 100w ,c.png 2x,  d.png">'
    assert in_page(page, "https://s/") == (
        "https://s/a.png",
        "https://s/b.png?w=1,2",
        "https://s/c.png",
        "https://s/d.png",
    )


def test_a_stylesheet_names_its_imports_and_what_it_paints_with():
    css = """@charset "utf-8"; @import 'a.css' screen; @import url("b.css"); /* url(no.png) */
    i { src: url(c.eot?#iefix), url( "d e.woff" ); fill: url(#gradient); background: url('data:image/svg+xml;)') }"""
    found = in_stylesheet(css, "https://s/css/main.css")
    assert found == tuple(f"https://s/css/{name}" for name in ("a.css", "b.css", "c.eot", "d e.woff"))


@given(st.text() | st.text(alphabet="<>/='\"![]-{}&; \nabcimgsrctplehfyd:"))
def test_any_page_and_any_stylesheet_is_read(text):
    for found in (in_page(text, URL), in_page(f"<style>{text}", URL), in_stylesheet(text, URL)):
        assert all(address.startswith(("http://", "https://")) for address in found)
