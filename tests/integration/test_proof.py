"""The proof against a site that keeps its contract, and one that breaks it in one place."""

from email.utils import formatdate

import pytest

from stayput import photo
from stayput.errors import StayputError
from stayput.ledger import Keepsake, Ledger
from stayput.proof import ProofFailed
from stayput.proof.visit import sha256
from stayput.prove import find_keepsake, forget_keepsake, leave_keepsake, prove
from stayput.steps import Record
from stayput.targets import Observed
from tests.standins.pictures import ACCESS, PictureSite
from tests.unit.builders import release


@pytest.fixture
def site():
    made = PictureSite()
    yield made
    made.close()


def proven(site, **more):
    return prove(site.url, ACCESS, **{"build": site.build, "release": site.release, **more})


def failing(proof):
    return {check.name: check.detail for check in proof.checks if not check.ok}


def kept(site, id, **more):
    return Keepsake(id=id, sha256=sha256(site.rows[id]["main"]), **more)


def test_a_site_that_does_what_it_should_is_proven_and_left_as_it_was(site):
    there = site.add(photo.draw())
    assert failing(proven(site)) == {}
    assert list(site.rows) == [there]


def test_each_proof_sends_another_photo():
    one, other = photo.unique(), photo.unique()
    assert one.content != other.content
    assert one.tiles != other.tiles


@pytest.mark.parametrize("sender", ["upload", "smoke-test", "keepsake"])
def test_an_upload_that_is_answered_with_an_older_picture_is_wrong_and_the_picture_stays(site, sender):
    older = site.add(photo.unique().content, sender)
    site.answers = lambda _: site.described(older)
    proof = proven(site, keepsake=kept(site, older) if sender == "keepsake" else None)
    assert {"upload", "main"} & set(failing(proof))
    assert older in site.rows


def test_a_picture_of_another_photo_under_a_new_id_is_wrong_and_is_not_deleted(site):
    other = photo.unique().content

    def stored_another(body):
        site.rows.pop(body["id"])
        return site.described(site.add(other))

    site.answers = stored_another
    found = failing(proven(site))
    assert "it is not made of the photo that was sent" in found["main"]
    assert "it is not made of the photo that was sent" in found["thumbnail"]
    assert "is left alone" in found["clean-up"]
    assert len(site.rows) == 1


def test_an_id_that_leads_to_another_picture_than_its_answer_is_not_deleted(site):
    theirs = site.add(photo.draw(), "keepsake")
    site.answers = lambda body: body | {"id": theirs}
    assert "is left alone" in failing(proven(site))["clean-up"]
    assert theirs in site.rows


def test_a_row_that_was_there_and_is_written_over_is_no_new_picture(site):
    site.headers = {"Last-Modified": formatdate(1_700_000_000, usegmt=True)}
    assert "was there before: the photo that was sent is lost" in failing(proven(site))["upload"]
    assert len(site.rows) == 1


def test_an_id_with_a_path_in_it_reaches_nothing_else(site):
    theirs = site.add(photo.draw())
    site.answers = lambda body: body | {"id": f"x/../{theirs}"}
    assert "clean-up" in failing(proven(site))
    assert theirs in site.rows


def test_a_keepsake_is_a_new_picture_of_the_photo_that_was_sent(site):
    keepsake = leave_keepsake(site.url, ACCESS, database="one")
    assert (keepsake.database, find_keepsake(site.url, keepsake).ok) == ("one", True)
    site.answers = lambda _: site.described(keepsake.id)
    for last in (keepsake, None):
        with pytest.raises(ProofFailed, match=r"keepsake: .*(was there before|is not made of the photo)"):
            leave_keepsake(site.url, ACCESS, last=last)
    assert keepsake.id in site.rows


def test_only_a_keepsake_that_is_still_what_was_left_is_taken_away(site):
    keepsake = leave_keepsake(site.url, ACCESS)
    before = site.rows[keepsake.id]["main"]
    site.rows[keepsake.id]["main"] = b"another picture"
    forget_keepsake(site.url, ACCESS, keepsake)
    assert keepsake.id in site.rows
    site.rows[keepsake.id]["main"] = before
    forget_keepsake(site.url, ACCESS, keepsake)
    assert site.rows == {}
    forget_keepsake(site.url, ACCESS, keepsake)  # gone already


def test_a_keepsake_that_cannot_be_left_or_taken_away_is_said_in_a_line(site):
    keepsake = leave_keepsake(site.url, ACCESS)
    site.broken["POST", "/api/images/"] = 502, "bad gateway"
    with pytest.raises(ProofFailed, match="keepsake: could not be proven: the site answers 502 bad gateway"):
        leave_keepsake(site.url, ACCESS)
    site.close()
    with pytest.raises(ProofFailed, match="keepsake: could not be proven: "):
        leave_keepsake(site.url, ACCESS)
    forget_keepsake(site.url, ACCESS, keepsake)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_site_that_is_down_says_nothing_about_a_forged_token(site, status):
    site.broken["POST", "/api/images/"] = status, "down"
    found = failing(proven(site))
    assert found["forged token"] == f"could not be proven: the site answers {status} down"
    assert found["expired token"] == found["forged token"]


def test_a_site_that_is_down_says_nothing_about_a_keepsake(site):
    id = site.add(photo.draw(), "keepsake")
    keepsake = kept(site, id, stored_in="bucket")
    site.broken["GET", f"/media/{id}"] = 502, "bad gateway"
    with pytest.raises(ProofFailed, match=r"keepsake: could not be proven: the site answers 502") as raised:
        proven(site, keepsake=keepsake).or_raise()
    assert "storage" not in raised.value.next_step


def test_what_is_wrong_is_said_before_what_could_not_be_proven(site):
    id = site.add(photo.draw(), "keepsake")
    keepsake = kept(site, id)
    site.broken["GET", f"/api/images/{id}"] = 502, "bad gateway"
    site.pages["/"] = 500, {}, ""
    with pytest.raises(ProofFailed, match="page /: answers 500"):
        proven(site, keepsake=keepsake).or_raise()


@pytest.mark.parametrize(
    ("lose", "said", "remedy"),
    [
        (lambda site, id: site.rows.pop(id), "is not known any more: 404", "DATABASE_URL"),
        (lambda site, id: site.broken.update({("GET", f"/media/{id}"): (404, "")}), "is gone: ", "the bucket media-1"),
        (lambda site, id: site.rows[id].update(main=b"other"), "is not the same any more: SHA-256", "the bucket"),
    ],
)
def test_a_keepsake_that_is_lost_from_a_bucket_is_named_with_a_way_to_go_on(site, lose, said, remedy):
    id = site.add(photo.draw(), "keepsake")
    keepsake = kept(site, id, stored_in="media-1")
    lose(site, id)
    with pytest.raises(ProofFailed) as raised:
        proven(site, keepsake=keepsake).or_raise()
    assert said in raised.value.what
    assert remedy in raised.value.next_step
    assert "invoke deploy --without-keepsake" in raised.value.next_step
    assert 'storage = "s3"' not in str(raised.value)


def test_an_answer_that_is_not_in_the_contract_is_shown(site):
    site.answers = lambda body: {"id": body["id"]}
    assert "not in the contract: 201: Object missing required field `url`" in failing(proven(site))["upload"]
    site.answers = lambda _: (201, {"Content-Type": "text/html"}, "<p>Thank you</p>")
    assert "201, text/html, which is not JSON: <p>Thank you</p>" in failing(proven(site))["upload"]
    site.broken["GET", "/healthz"] = 200, ""
    assert "which is not JSON: empty" in failing(proven(site))["health"]


def test_a_picture_that_is_not_ready_or_no_picture_is_named(site):
    site.answers = lambda body: body | {"state": "processing", "url": None}
    assert "in state processing, without its addresses" in failing(proven(site))["upload"]

    def spoilt(body):
        site.rows[body["id"]]["main"] = b"<html>"
        return body

    site.answers = spoilt
    assert "6 bytes of image/webp, which are no picture" in failing(proven(site))["main"]


def test_another_build_and_a_site_that_is_down_are_told_apart_by_health(site):
    assert failing(proven(site, build="another"))["health"] == "serves build the-build, not another"
    assert failing(proven(site, release="another"))["health"] == "serves release the-release, not another"
    site.broken["GET", "/healthz"] = 502, "bad gateway"
    assert failing(proven(site))["health"] == "could not be proven: the site answers 502 bad gateway"


class Unretired:
    """A target whose release before does not stop."""

    name = "memory"

    def __init__(self, url):
        self.url = url

    def observe(self):
        return Observed(url=self.url)

    def hosts(self):
        return ("127.0.0.1",)

    def domains(self):
        return ()

    def polls(self):
        return range(1)

    def retire(self, release):
        raise StayputError("target memory", "does not stop the release before", "stop it")


def test_a_release_that_is_not_recorded_leaves_no_keepsake(site, tmp_path):
    recorded = release()
    site.release, site.build = recorded.id, recorded.build.id
    step = Record(release=recorded, access=ACCESS, keepsake=None, reason="")
    with pytest.raises(StayputError, match="does not stop"):
        step.perform(Unretired(site.url), Ledger(tmp_path))
    assert site.rows == {}


def test_a_token_that_is_not_looked_at_is_named_and_no_address_of_its_picture_is_shown(site):
    site.trusts = True
    found = failing(proven(site))
    assert found["forged token"] == "was not refused: the upload is answered with 201"
    assert "/media/" not in str(found)
