"""Texts that people and other tools write: TOML, YAML, JSON, HTML, changelogs, ignore files."""
