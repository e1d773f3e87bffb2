"""Completion of commands, options and names in a shell."""

from __future__ import annotations

import click
from click import shell_completion

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the code that completes commands, options, families, releases and clouds.

    To switch completion on:

    \b
    bash  in ~/.bashrc:  eval "$(imagecycle completion bash)"
    zsh   in ~/.zshrc, after compinit:  eval "$(imagecycle completion zsh)"
    fish  imagecycle completion fish > ~/.config/fish/completions/imagecycle.fish
    """
    found = shell_completion.get_completion_class(shell)
    assert found is not None  # the shells are click's own
    program = context.find_root().command
    source = found(program, {}, "imagecycle", "_IMAGECYCLE_COMPLETE").source()
    click.echo(source)


COMMANDS = (completion,)
