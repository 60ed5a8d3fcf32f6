"""docs/infra.md tells what the program takes and gives."""

import dataclasses
import re
from pathlib import Path

from stayput.engine import Outputs, stackfile
from stayput.infra.settings import KEYS, parse
from stayput.stack import Stack

TEXT = (Path(__file__).parents[3] / "docs" / "infra.md").read_text()


def test_the_sample_is_a_stack_that_the_program_takes(tmp_path):
    (sample,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "Pulumi.yaml").write_text("name: gallery")
    (tmp_path / "Pulumi.sample.yaml").write_text(sample)
    assert parse(stackfile.config(Stack(tmp_path, "sample"))).bucket == "our-photos"


def test_the_table_of_settings_is_complete():
    assert set(re.findall(r"^\| `stayput:(\w+)`", TEXT, re.MULTILINE)) == set(KEYS)


def test_the_outputs_are_named():
    section = TEXT.partition("## Outputs")[2].partition("##")[0]
    assert {field.name for field in dataclasses.fields(Outputs)} <= set(re.findall(r"`(\w+)`", section))


def test_the_local_stack_of_the_project_is_one_that_the_program_takes():
    assert parse(stackfile.config(Stack(Path(__file__).parents[3]))).cloud == "this-machine"
