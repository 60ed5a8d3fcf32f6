"""The `stayput` command: the tasks of Invoke, without a tasks.py."""

import sys

from stayput import __version__


def main() -> None:
    try:
        from invoke.program import Program

        from stayput.tasks import namespace
    except ModuleNotFoundError as problem:
        if problem.name != "invoke":
            raise
        sys.exit('stayput: only the Django side is installed. Next: pip install "stayput[tool]"')
    Program(namespace=namespace, name="stayput", binary="stayput", version=__version__).run()


if __name__ == "__main__":
    main()
