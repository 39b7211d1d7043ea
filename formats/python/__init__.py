"""Python packaging: projects, locks, wheels, modules."""
