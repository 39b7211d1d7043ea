"""This machine: processes, locks, atomic writes, git, network settings."""
