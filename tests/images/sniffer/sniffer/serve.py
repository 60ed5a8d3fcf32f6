"""POST bytes, get their MIME type; /healthz says what runs here."""

import json
import os
from pathlib import Path

from sniffer.kinds import kind

BUILD = json.loads((Path(__file__).parents[1] / "stayput-build.json").read_text())["build"]


def application(environ, start_response):
    if environ["PATH_INFO"] == "/healthz":
        body = {"status": "ok", "build": BUILD, "release": os.environ.get("STAYPUT_RELEASE", ""), "checks": {}}
    else:
        body = {"kind": kind(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]
