"""The application: workspace -> graph -> plan -> actions. `from packyard.tasks import *` is all that a dodo.py
needs."""

__all__ = ["DOIT_CONFIG", "task_packyard"]


def __getattr__(name: str) -> object:
    # Lazy, because the console command must start without importing doit (see tasks/nullpath.py).
    if name in __all__:
        from packyard.tasks.console import doit

        return getattr(doit, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
