"""The commands of `packyard`: a module with `parser()` and `run(words) -> exit status` for each row of table.py."""
