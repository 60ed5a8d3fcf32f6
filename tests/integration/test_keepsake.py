"""What a release leaves for the next one to find, where both keep their uploads in a bucket."""

from urllib.parse import quote

import httpx

from stayput.deploy import deploy, plan, smoke_test
from stayput.django import tokens
from stayput.ledger import Waived


def keepsake_of(checkout):
    return checkout.workspace(storage="s3").ledger.live("process")[-1].keepsake


def delete(checkout, picture):
    key = checkout.workspace(storage="s3").secrets.stayput_key.value
    headers = {"Authorization": f"Bearer {tokens.sign(key, purpose='keepsake')}"}
    assert httpx.delete(f"{checkout.url}/api/images/{picture}/", headers=headers).status_code == 204


def is_known(checkout, picture):
    return httpx.get(f"{checkout.url}/api/images/{picture}/").status_code == 200


def test_a_keepsake_that_was_deleted_is_named_and_a_deploy_without_it_is_written_down(checkout):
    checkout.run(deploy, storage="s3")
    lost = keepsake_of(checkout)
    delete(checkout, lost.id)
    for command in (deploy, smoke_test):
        changed = ["variables.NEW=1"] if command is deploy else []
        code, refused = checkout.run(command, *changed, storage="s3")
        assert code == 1
        assert "the picture that the last release took is not known any more: 404" in refused["error"]["what"]
        assert refused["error"]["next"].endswith("go on without it: invoke deploy --without-keepsake")

    code, done = checkout.run(deploy, storage="s3", without_keepsake="deleted by hand")
    assert (code, [step["name"] for step in done["steps"]]) == (0, ["prove", "record"]), done
    (waived,) = [line.event for line in checkout.workspace().ledger.records() if isinstance(line.event, Waived)]
    assert (waived.keepsake, waived.why, bool(waived.by)) == (lost.id, "deleted by hand", True)
    assert is_known(checkout, keepsake_of(checkout).id)
    assert checkout.run(smoke_test, storage="s3")[0] == 0

    code, next_one = checkout.run(deploy, "variables.NEW=1", storage="s3")
    assert code == 0
    assert "the picture that the last release took is still there" in str(next_one["proof"])


def test_a_move_to_another_database_is_planned_without_the_keepsake_of_before_and_kept_to_afterwards(
    checkout, monkeypatch
):
    def run(command, database, *overrides):
        file = checkout.root / f".stayput/{database}.sqlite3"
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{quote(str(file))}")
        return checkout.run(command, "database=ours", *overrides, storage="s3")

    assert run(deploy, "before")[0] == 0
    before = keepsake_of(checkout)
    _, planned = run(plan, "after")
    why = next(step["reason"] for step in planned["steps"] if step["name"] == "prove")
    assert why.endswith("is not looked for: the database is another one since")
    assert run(deploy, "after")[0] == 0
    assert not is_known(checkout, before.id)

    code, third = run(deploy, "after", "variables.NEW=1")
    assert code == 0
    assert "the picture that the last release took is still there" in str(third["proof"])
