"""Which engine runs a stack, and why."""

from stayput.engine import Engine, cli, state
from stayput.engine.automation import PulumiEngine
from stayput.engine.embedded import EmbeddedEngine
from stayput.errors import WrongUse
from stayput.stack import Stack


def engine_for(stack: Stack) -> Engine:
    """Pulumi's where it is; else the embedded one, which refuses real accounts. Raises WrongUse.

    A stack stays with the engine that made it, until it is destroyed: the other would make everything a second time.
    """
    if state.path(stack.home).exists():
        return EmbeddedEngine(stack)
    if found := cli.find():
        return PulumiEngine(stack, found)
    if (stack.home / ".pulumi").exists():
        what = f"was made by Pulumi's engine, but {cli.why_not()}"
        raise WrongUse(f"stack {stack.name}", what, "bring it back: invoke engine.install")
    return EmbeddedEngine(stack)


def explained(stack: Stack) -> tuple[str, str]:
    """The engine's name and, in words, why it is that one."""
    found = cli.find()
    if state.path(stack.home).exists():
        return "embedded", f"it made the stack {stack.name}; after invoke destroy another can"
    if found:
        return f"pulumi {found.version}", f"{found.path}, {found.source}"
    return "embedded", f"{cli.why_not()}; it runs this machine's cloud alone: invoke engine.install brings Pulumi's"
