"""The commands of `packyard` beside building: one module each, with `HELP` and `run(words) -> exit status`."""
