"""pip-audit itself, asking a database of this machine that speaks as osv.dev does."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stayput import processes
from stayput.image.vulnerabilities import known_vulnerabilities

LOCK = "gunicorn==19.0.0\npython-magic==0.4.27\n"
FLAW = {
    "id": "PYSEC-0000-1",
    "affected": [
        {
            "package": {"name": "gunicorn", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "22.0.0"}]}],
        }
    ],
}


class Database(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        flawed = (asked["package"]["name"], asked["version"]) == ("gunicorn", "19.0.0")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"vulns": [FLAW]} if flawed else {}).encode())

    def log_message(self, *said):
        pass


@pytest.fixture
def database(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Database)
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}/v1/query")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        (LOCK, "vulnerable: gunicorn 19.0.0: PYSEC-0000-1; mended in 22.0.0"),
        (LOCK.replace("19.0.0", "22.0.0"), "vulnerabilities: none known in 2 packages"),
    ],
)
def test_a_known_vulnerability_is_told_with_the_version_that_mends_it(tmp_path, database, lock, told):
    (tmp_path / "site.txt").write_text(lock)
    assert known_vulnerabilities(tmp_path / "site.txt") == (told,)


def test_without_an_answer_it_is_told_that_nobody_looked_and_why(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{processes.free_port()}/v1/query")
    (tmp_path / "site.txt").write_text(LOCK)
    assert known_vulnerabilities(tmp_path / "site.txt") == (
        "vulnerabilities: skipped, osv.dev cannot be reached from here",
    )
