from stayput.engine import backend
from stayput.stack import Stack


def test_a_state_that_a_killed_engine_left_empty_is_the_one_before_again(tmp_path):
    folder = Stack(tmp_path).home / ".pulumi/stacks/stayput"
    folder.mkdir(parents=True)
    (folder / "local.json").touch()
    (folder / "local.json.bak").write_text('{"version": 3}')
    backend.mend(Stack(tmp_path))
    assert (folder / "local.json").read_text() == '{"version": 3}'


def test_a_state_that_is_there_is_left_as_it_is(tmp_path):
    folder = Stack(tmp_path).home / ".pulumi/stacks/stayput"
    folder.mkdir(parents=True)
    (folder / "local.json").write_text("{now}")
    (folder / "local.json.bak").write_text("{before}")
    backend.mend(Stack(tmp_path))
    assert (folder / "local.json").read_text() == "{now}"


def test_an_empty_note_beside_a_state_is_taken_away(tmp_path):
    folder = Stack(tmp_path).home / ".pulumi/stacks/stayput"
    folder.mkdir(parents=True)
    (folder / "local.json").write_text("{}")
    (folder / "local.json.attrs").touch()
    (folder / "local.json.bak.attrs").write_text("{}")
    backend.mend(Stack(tmp_path))
    assert sorted(file.name for file in folder.iterdir()) == ["local.json", "local.json.bak.attrs"]
