"""The process itself: `python -m stayput.localcloud.serve PORT`. Everything in it is in memory."""

import logging
import signal
import sys

from moto.server import ThreadedMotoServer


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # addresses can be signed, and are then secrets
    server = ThreadedMotoServer("127.0.0.1", int(sys.argv[1]), verbose=False)
    server.start()
    signal.pause()


if __name__ == "__main__":
    main()
