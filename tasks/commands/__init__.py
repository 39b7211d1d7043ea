"""The commands of `packyard` beside building: one module each with `run(words) -> exit status`; see cli.COMMANDS."""
