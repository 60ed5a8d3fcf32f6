"""What is asked of a container, in plain types."""

from typing import cast

from docker.models.containers import Container

from stayput import processes


def execute(container: Container, command: list[str]) -> tuple[int, str]:
    """(exit code, what it wrote) of a command inside. Raises DockerException when the container is not running."""
    done = container.exec_run(command, workdir="/app")
    return int(done.exit_code or 0), cast("bytes", done.output or b"").decode(errors="replace")


def last_words(container: Container) -> str:
    """The line of its log that says most about a failure."""
    return processes.telling(container.logs(tail=50).decode(errors="replace").splitlines())[0]


def exit_code(container: Container) -> int:
    container.reload()
    return int(container.attrs["State"]["ExitCode"])
