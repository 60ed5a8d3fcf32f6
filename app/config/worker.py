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
