"""The command line of hello."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("names", nargs=-1)
@click.option("--shout", is_flag=True, help="Say it loud.")
@click.option("--status", default=0, show_default=True, help="The exit status to end with.")
@click.version_option(package_name="hello")
def main(names: tuple[str, ...], shout: bool, status: int) -> None:
    """Greet NAMES, or the world. The name - stands for the lines of standard input."""
    for name in _spelled_out(names or ("world",)):
        greeting = f"Hello, {name}!"
        click.echo(greeting.upper() if shout else greeting)
    sys.exit(status)


def _spelled_out(names: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for name in names:
        found += [line.strip() for line in sys.stdin if line.strip()] if name == "-" else [name]
    return found
