"""A gunicorn worker whose clients have to keep up.

gthread reads a request in the thread that answers it. There are threads enough for many slow senders; that none of
them stays is seen to here.
"""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from app.config.pace import PacedSocket


class PacedWorker(ThreadWorker):
    def handle(self, conn: Any) -> Any:
        """Read and answer one request; called anew for each request of a connection."""
        if isinstance(conn.sock, PacedSocket):
            conn.sock.begin()
        else:
            conn.sock = PacedSocket(conn.sock)
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """gunicorn itself says "100 Continue" before anybody has looked at the request."""
        if req._expected_100_continue and req.method not in ("GET", "HEAD"):
            req._expected_100_continue, conn.sock.asked_first = False, True
        return super().handle_request(req, conn)
