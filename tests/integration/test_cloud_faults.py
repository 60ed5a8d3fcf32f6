"""Wrong stacks, wrong settings, faults in the program and refusals: one line each, and nothing half made."""

import gc
import sys
from types import ModuleType

import pytest

from stayput.engine import state
from stayput.engine.embedded import EmbeddedEngine
from stayput.errors import StayputError, WrongUse
from stayput.localcloud import server
from stayput.localcloud.table import connect
from stayput.stack import Stack
from tests.integration.clouds import buckets, copy_program, edit


@pytest.fixture
def stack(tmp_path):
    yield (made := copy_program(tmp_path))
    server.stop(made.home)


@pytest.fixture
def engine(stack):
    return EmbeddedEngine(stack)


def test_a_stack_of_a_real_account_is_refused_by_every_verb(stack, engine):
    edit(stack.settings, "cloud: this-machine", "cloud: aws")
    for verb in (engine.observe, lambda: engine.up(print), lambda: engine.destroy(print)):
        with pytest.raises(WrongUse, match="only Pulumi's own engine may touch a real account"):
            verb()
    assert not stack.home.exists()


def test_a_stack_that_has_no_file_is_refused_by_every_verb(stack):
    other = EmbeddedEngine(Stack(stack.root, "typo"))
    for verb in (other.observe, lambda: other.up(print), lambda: other.destroy(print)):
        with pytest.raises(WrongUse, match=r"stack typo: there is no Pulumi\.typo\.yaml"):
            verb()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("mode: public", "mode: open", "Pulumi.local.yaml, stayput:mode: 'open' is not possible"),
        ("http://localhost:8000", "http://example.org", "Pulumi.local.yaml, stayput:origins: 'http://example.org' is"),
        ("stayput:mode: public", "stayput:bucket: Our_Photos", "Pulumi.local.yaml, stayput:bucket: 'Our_Photos'"),
        ("mode: public", "mode: [", "Pulumi.local.yaml, line"),
    ],
)
def test_a_wrong_setting_starts_nothing(engine, stack, old, new, told):
    edit(stack.settings, old, new)
    with pytest.raises(WrongUse) as refused:
        engine.up(print)
    assert str(refused.value).startswith(told)
    assert not stack.home.exists()


def test_a_bucket_to_take_over_is_refused_and_not_overlooked(engine, stack):
    stack.settings.write_text(stack.settings.read_text() + "  stayput:import: by-hand\n")
    for verb in (engine.observe, lambda: engine.up(print)):
        with pytest.raises(WrongUse, match=r"Pulumi.local.yaml, stayput:import: only Pulumi's own.*engine.install"):
            verb()
    assert not stack.home.exists()


def test_a_region_that_changes_is_refused_since_a_bucket_cannot_move(engine, stack):
    engine.up(print)
    edit(stack.settings, "eu-central-1", "eu-west-3")
    with pytest.raises(WrongUse, match="the bucket is in eu-central-1 and cannot move"):
        engine.up(print)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("bucket.py", "    return [\n", "    raise ValueError('no\\nway')\n    return [\n", "ValueError: no. Next: "),
        ("bucket.py", "    return [\n", "    return [[\n", "SyntaxError: "),
        ("policies.py", "import Any", "import Any, Nothing", "ImportError: cannot import name 'Nothing'"),
        ("settings.py", "import json", "import jsom", "ModuleNotFoundError: No module named 'jsom'"),
    ],
)
def test_a_fault_in_the_program_is_one_line_with_its_place_and_nothing_on_stderr(
    engine, stack, capfd, file, old, new, told
):
    edit(stack.root / "infra" / file, old, new)
    with pytest.raises(StayputError) as failed:
        engine.up(lambda line: None)
    assert failed.value.where.startswith(f"infra/{file}, line ")
    assert told in str(failed.value)
    assert "\n" not in str(failed.value)
    assert capfd.readouterr() == ("", "")


def test_a_refusal_by_the_cloud_is_one_line_and_what_was_made_is_kept(engine, stack, capfd, caplog):
    edit(stack.root / "infra" / "bucket.py", '"HEAD", "POST"', '"HEAD", "PATCH"')
    with pytest.raises(StayputError) as failed:
        engine.up(lambda line: None)
    assert str(failed.value).startswith("BucketCorsConfiguration media: ")
    assert "\n" not in str(failed.value)
    failed = None
    gc.collect()  # asyncio complains of a failure that nobody asked for when it is collected
    assert (caplog.records, capfd.readouterr()) == ([], ("", ""))
    edit(stack.root / "infra" / "bucket.py", '"HEAD", "PATCH"', '"HEAD", "POST"')
    assert len(buckets(engine.up(print))) == 1


def test_a_run_that_did_not_end_is_told_though_everything_is_as_in_the_last_that_did(engine, stack):
    engine.up(print)
    edit(stack.root / "infra" / "bucket.py", '"HEAD", "POST"', '"HEAD", "PATCH"')
    with pytest.raises(StayputError):
        engine.up(print)
    edit(stack.root / "infra" / "bucket.py", '"HEAD", "PATCH"', '"HEAD", "POST"')
    assert engine.observe().reason == "the last run did not end"
    engine.up(print)
    assert engine.observe().reason == ""


def test_the_program_of_the_stack_is_run_and_not_one_that_is_loaded_already(engine, stack, monkeypatch):
    loaded = ModuleType("infra.bucket")
    monkeypatch.setitem(sys.modules, "infra.bucket", loaded)
    edit(stack.root / "infra" / "bucket.py", "OLD_VERSIONS_DAYS = 30", "OLD_VERSIONS_DAYS = 7")
    cloud = engine.up(print)
    s3 = connect(cloud.endpoint_url, "eu-central-1").s3
    rules = {one["ID"]: one for one in s3.get_bucket_lifecycle_configuration(Bucket=cloud.outputs.bucket)["Rules"]}
    assert rules["old-versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert sys.modules["infra.bucket"] is loaded


def test_a_public_policy_is_refused_as_long_as_the_access_block_is_closed(engine, stack):
    edit(stack.root / "infra" / "bucket.py", "block_public_policy=closed", "block_public_policy=True")
    with pytest.raises(StayputError, match=r"BucketPolicy media: the bucket .* blocks public policies"):
        engine.up(print)


def test_a_damaged_state_is_told_and_destroy_gets_out_of_it(engine, stack):
    engine.up(print)
    state.path(stack.home).write_text("{")
    for verb in (engine.observe, lambda: engine.up(print)):
        with pytest.raises(StayputError, match=r"is damaged\. Next: .*invoke destroy"):
            verb()
    engine.destroy(print)
    assert list(stack.home.iterdir()) == []
