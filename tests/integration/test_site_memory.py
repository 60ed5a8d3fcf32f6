"""An instance with 512 MB, under the heaviest pictures that are taken, and under many."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.integration.test_site_served import Site
from tests.unit.site import pictures

MEGABYTE = 2**20
INSTANCE = 512 * MEGABYTE
SENDERS = 4


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Served as on an instance with 512 MB, without the throttle."""
    folder = tmp_path_factory.mktemp("memory")
    site = Site(folder)
    (folder / "memory.max").write_text(str(INSTANCE))
    change(folder / "app/config/machine.py", '"/sys/fs/cgroup/memory.max"', repr(str(folder / "memory.max")))
    change(folder / "app/config/settings.py", "120/min", "100000/min")
    with site.served():
        yield site


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def processes(site: Site) -> list[psutil.Process]:
    """The master and its workers."""
    (master,) = [p for p in psutil.Process().children() if f"127.0.0.1:{site.port}" in p.cmdline()]
    return [master, *master.children()]


def proportional(site: Site) -> int:
    """Bytes of memory that the site takes; what processes share counts once."""
    return sum(process.memory_full_info().pss for process in processes(site))


def peak_during(site: Site, work: Callable[[], None]) -> int:
    peaks, over = [proportional(site)], threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            peaks.append(proportional(site))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        work()
    finally:
        over.set()
        thread.join()
    return max(peaks)


HEAVY: dict[str, Callable[[], bytes]] = {
    "50 MP progressive JPEG": lambda: pictures.encoded(flat((7071, 7071)), progressive=True),
    "33 MP PNG with alpha": lambda: pictures.encoded(flat((5770, 5770), "RGBA"), "PNG", compress_level=1),
    "18 MP WEBP": lambda: pictures.encoded(flat((4330, 4330)), "WEBP", method=0),
}


def flat(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert(mode)


@pytest.mark.parametrize("kind", HEAVY)
def test_the_heaviest_pictures_fit_into_512_mb(site: Site, kind: str):
    data = HEAVY[kind]()
    answers: list[int] = []

    def work() -> None:
        with ThreadPoolExecutor(SENDERS) as pool:
            answers.extend(pool.map(lambda _: site.upload(data).status_code, range(2 * SENDERS)))

    peak = peak_during(site, work)
    assert set(answers) <= {201, 400}, "taken, or refused in a sentence; never a server that is out of memory"
    assert peak < INSTANCE


def test_workers_do_not_grow_over_many_uploads(site: Site):
    data = pictures.encoded(pictures.photo((320, 240)), comment=bytes(60_000))  # little work, and much to forget

    def upload(count: int) -> int:
        with ThreadPoolExecutor(SENDERS) as pool:
            assert set(pool.map(lambda _: site.upload(data).status_code, range(count))) == {201}
        return proportional(site)

    before = upload(200)
    after = upload(1000)
    assert after - before < 20 * MEGABYTE
