"""`packyard clean`: removes artifacts."""

from __future__ import annotations

from packyard.tasks.console.parser import Parser


def run(words: list[str]) -> int:
    """Remove the artifacts of the targets that `words` name; the exit status."""
    options = parser().parse_args(words)
    from packyard.tasks.console.doitcommand import run_doit  # with doit, which takes 0.1 s

    flags = [f"--{flag}" for flag in ("clean-dep", "clean-all", "dry-run") if getattr(options, flag.replace("-", "_"))]
    return run_doit("clean", flags, options.target, patterns=True, changes=not options.dry_run)


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard clean",
        description="Remove the artifacts of targets, as far as they are what was made here. The store keeps them: the "
        "next build restores them.",
        examples=("packyard clean", "packyard clean bundle:greet --dry-run", "packyard clean 'docs:*'"),
    )
    parser.add_argument(
        "target", nargs="*", help="KIND:NAME, or the path of an artifact; * stands for anything (default: all)"
    )
    parser.add_argument("-c", "--clean-dep", action="store_true", help="also of what the targets are made from")
    parser.add_argument("-a", "--clean-all", action="store_true", help="of every target")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would be removed")
    return parser
