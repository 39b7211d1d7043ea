"""`packyard completion`: a script that teaches a shell to complete commands and target names."""

from __future__ import annotations

from packyard.tasks.commands.table import COMMANDS
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser

_NAMES = "packyard list --quiet 2>/dev/null"

# Bash splits words at colons, so it wants only what follows the last one.
_BASH = """\
# eval "$(packyard completion bash)"
_packyard() {{
    local line=${{COMP_LINE:0:COMP_POINT}} words
    local word=${{line##* }}
    words=$({names})
    [[ $COMP_CWORD == 1 ]] && words+=" {commands}"
    COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local head=${{word%"${{word##*:}}"}}
        COMPREPLY=("${{COMPREPLY[@]#"$head"}}")
    fi
}}
complete -F _packyard packyard
"""

_ZSH = """\
#compdef packyard
# eval "$(packyard completion zsh)"
_packyard() {{
    local -a names=(${{(f)"$({names})"}})
    (( CURRENT == 2 )) && names+=({commands})
    compadd -a names
    _files
}}
compdef _packyard packyard
"""

_FISH = """\
# packyard completion fish | source
complete -c packyard -n __fish_use_subcommand -a "{commands}"
complete -c packyard -a "({names})"
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def run(words: list[str]) -> int:
    """Print the script for the shell that `words` name; the exit status."""
    shell = parser().parse_args(words).shell
    commands = " ".join(command.name for command in COMMANDS)
    say(_SCRIPTS[shell].format(names=_NAMES, commands=commands).rstrip("\n"))
    return 0


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard completion",
        description="Print a script that completes commands and target names.",
        examples=("packyard completion bash",),
    )
    parser.add_argument("shell", choices=tuple(_SCRIPTS))
    return parser
