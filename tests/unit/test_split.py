"""An environment, split into the folders that become layers."""

import importlib.metadata

import pytest

from stayput.image.split import LEAST, split

SITE = "lib/python3.13/site-packages"


@pytest.fixture
def venv(tmp_path):
    """An environment with a distribution of each size, and what belongs to none."""
    made = tmp_path / "venv"
    sizes = {"huge": LEAST[0], "large": LEAST[1], "middling": LEAST[2], "small": 10}
    for name, size in sizes.items():
        (made / SITE / name).mkdir(parents=True)
        with (made / SITE / name / "__init__.py").open("wb") as code:
            code.truncate(size)
        info = made / SITE / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "RECORD").write_text(f"{name}/__init__.py,,\n{info.name}/METADATA,,\n../../../bin/{name},,\n")
    (made / "bin").mkdir()
    (made / "bin/small").write_text("#!/venv/bin/python\n")
    (made / "pyvenv.cfg").write_text("home = /usr/local/bin\n")
    (made / SITE / "of_nobody.pth").write_text("")
    return made


def everything(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_each_distribution_lies_whole_in_the_layer_of_its_size_and_nothing_is_lost(venv, tmp_path):
    before = everything(venv)
    split(venv, tmp_path / "made")
    layers = [tmp_path / "made" / str(number) / "venv" for number in range(4)]
    assert set().union(*map(everything, layers)) == before
    for layer, name in zip(layers, ("huge", "large", "middling", "small"), strict=True):
        assert [one.metadata["Name"] for one in importlib.metadata.distributions(path=[str(layer / SITE)])] == [name]
        assert (layer / SITE / name / "__init__.py").exists()
    assert {"bin/small", "pyvenv.cfg", f"{SITE}/of_nobody.pth"} <= everything(layers[3])


def test_distributions_of_one_folder_stay_together_and_one_layer_has_it(venv, tmp_path):
    for part in ("a", "b"):
        (venv / SITE / "shared" / part).mkdir(parents=True)
        # A file that is not there is nobody's, since Python 3.12.
        (venv / SITE / "shared" / part / "__init__.py").touch()
        info = venv / SITE / f"shared_{part}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: shared-{part}\nVersion: 1.0\n")
        (info / "RECORD").write_text(f"shared/{part}/__init__.py,,\n{info.name}/METADATA,,\n")
    with (venv / SITE / "shared/b/__init__.py").open("wb") as code:
        code.truncate(LEAST[0])
    before = everything(venv)
    split(venv, tmp_path / "made")
    assert set().union(*(everything(tmp_path / "made" / str(number) / "venv") for number in range(4))) == before
    assert (tmp_path / "made/0/venv" / SITE / "shared/b/__init__.py").exists()
    assert (tmp_path / "made/3/venv" / SITE / "shared_b-1.0.dist-info").exists()
