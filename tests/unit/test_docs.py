import re
from pathlib import Path

from stayput.project import PROVIDERS, load

ROOT = Path(__file__).parents[2]


def test_the_sample_in_the_docs_is_one_that_the_loader_reads(tmp_path):
    (sample,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/stayput.toml.md").read_text(), re.DOTALL)
    (tmp_path / "stayput.toml").write_text(sample)
    assert load(tmp_path).targets.providers.keys() == set(PROVIDERS)


def test_every_task_is_in_the_readme():
    import tasks

    readme = (ROOT / "README.md").read_text()
    assert [name for name in tasks.namespace.task_names if f"invoke {name}" not in readme] == []


def test_every_relative_link_in_the_docs_leads_somewhere():
    broken = []
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            if not (page.parent / link).exists():
                broken.append(f"{page.name}: {link}")
    assert broken == []
