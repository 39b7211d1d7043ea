"""The application: workspace -> graph -> plan -> actions. `from packyard.tasks import *` is all a dodo.py needs."""

__all__ = ["DOIT_CONFIG", "task_packyard"]


def __getattr__(name: str) -> object:
    # Lazy, because the console command must start without importing doit (see tasks/null.py).
    if name in __all__:
        from packyard.tasks import loader

        return getattr(loader, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
