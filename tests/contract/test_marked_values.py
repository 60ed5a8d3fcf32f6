"""Each secret that a provider's release has holds a mark of its own; a failed deploy shows and keeps none of them."""

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import pytest

from stayput.errors import StayputError
from stayput.report import reporting
from stayput.secrets import Secret
from tests.standins.places import PLACES, release
from tests.standins.sites import DoesNotStart

OURS = {name: f"mark/{name.lower()}+&é-q9" for name in ("SECRET_KEY", "STAYPUT_KEY", "IMAGEKIT_PRIVATE_KEY")}
UPLOADER, PASSWORD, OF_QUERY = "mark/uploader+&é-q9", "mark/password+&é-q9", "mark/query+&é-q9"
ONLY_THERE = "mark/only-there+&é-q9"
URL = f"postgresql://gallery:{quote(PASSWORD, safe='')}@db/app?sslpassword={quote(OF_QUERY, safe='')}"
VARIABLES = {**OURS, "AWS_SECRET_ACCESS_KEY": UPLOADER}
MARKS = (*OURS.values(), UPLOADER, PASSWORD, OF_QUERY, ONLY_THERE)
FORMS = {
    "plain": str,
    "address": lambda value: quote(value, safe=""),
    "small hex": lambda value: re.sub("%..", lambda found: found[0].lower(), quote(value, safe="")),
    "form": quote_plus,
    "JSON": json.dumps,
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)),
    "Python": repr,
    "Python bytes": lambda value: repr(value.encode()),
    "ASCII": ascii,
    "HTML": html.escape,
    "Basic": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "base64 for addresses": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
}


def lines():
    """What a careless site, build or provider writes."""
    return [f"{form}: {write(mark)}" for form, write in FORMS.items() for mark in MARKS]


def core(mark, write):
    """The part of a written form that cannot be there by chance."""
    return write(mark).strip("'\"b\\")[8:-8] if write in (FORMS["Basic"], FORMS["base64 for addresses"]) else "mark"


def leaked(text):
    return [name for name, write in FORMS.items() if any(core(mark, write) in text for mark in MARKS)]


def stops(place):
    place.hosting.sites.broken = DoesNotStart("start", lines())


def stops_before(place):
    place.hosting.sites.broken = DoesNotStart("pre-deploy", lines())


def is_refused(place):
    """The provider's answer to each call after the first look echoes what it was sent."""
    meet, said = place.stand_in.meet, " ".join(lines())

    def echo(method, target, headers, content):
        if method != "GET" and (b"query" not in content[:9] or b"mutation" in content):
            body = json.dumps({"message": said, "errors": [{"message": said}]}).encode()
            return "", 400, {"Content-Type": "application/json"}, body
        return meet(method, target, headers, content)

    place.stand_in.meet = echo


@pytest.mark.parametrize("how", [stops, stops_before, is_refused])
@pytest.mark.parametrize("name", sorted(PLACES))
def test_no_mark_is_shown_or_kept_when_a_deploy_fails(make_place_by_name, name, how, capsys):
    place = make_place_by_name(name, variables={"ONLY_THERE_KEY": ONLY_THERE, "DATABASE_URL": URL})
    how(place)
    with pytest.raises(SystemExit), reporting(True) as report:
        try:
            place.deploy(release(1, **{name: Secret(value) for name, value in VARIABLES.items()}))
        except StayputError as problem:
            report.say(problem.what)
            raise
    out, err = capsys.readouterr()
    kept = "".join(one.read_text(errors="replace") for one in place.home.rglob("*") if one.is_file())
    assert place.said or how is is_refused
    assert {"said": leaked("\n".join(place.said)), "shown": leaked(out + err), "kept": leaked(kept)} == {
        "said": [],
        "shown": [],
        "kept": [],
    }
