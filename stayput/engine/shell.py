"""What a shell needs so that Pulumi's own commands work on a stack."""

from stayput.engine import backend, cli, program, stackfile, state
from stayput.errors import WrongUse
from stayput.localcloud import server
from stayput.stack import Stack


def environment(stack: Stack) -> dict[str, str]:
    """The variables under which `pulumi up` works on this stack as `invoke deploy` does. Raises WrongUse.

    For this machine's cloud its process and its provider are started, and the stack is made if there is none.
    """
    found = cli.find()
    if not found:
        raise WrongUse("engine.env", cli.why_not(), "bring it: invoke engine.install")
    if state.path(stack.home).exists():
        what = "was made by the embedded engine, and Pulumi's knows nothing of it"
        raise WrongUse(f"stack {stack.name}", what, "begin anew: invoke destroy")
    config = stackfile.config(stack, encrypted=True)
    program.check(stack, config)
    on_this_machine = config.get("stayput:cloud") == "this-machine"
    variables = backend.variables(stack, found, on_this_machine)
    if backend.is_ours(stack, on_this_machine):
        backend.prepare(stack)
    if on_this_machine:
        from stayput.engine.session import opened

        cloud = server.start(stack.home)
        with opened(stack, found, config, cloud.url) as session:
            session.create()
        stand_in = server.start_stand_in(stack.home, cloud.url, config["aws:region"])
        variables |= backend.attached(stand_in.port, cloud.url)
    return variables


def lines(variables: dict[str, str]) -> list[str]:
    """For `eval` in a POSIX shell."""
    ours = "PULUMI_CONFIG_PASSPHRASE_FILE" in variables
    return [*(["unset PULUMI_CONFIG_PASSPHRASE"] if ours else []), *backend.as_exports(variables)]
