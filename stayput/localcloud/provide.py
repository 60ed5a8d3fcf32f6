"""The stand-in as a process, for commands typed in a shell: `python -m stayput.localcloud.provide PORT URL REGION`."""

import sys

from stayput.localcloud.provider import serve


def main() -> None:
    server, _ = serve(int(sys.argv[1]), sys.argv[2], sys.argv[3])
    server.wait_for_termination()


if __name__ == "__main__":
    main()
