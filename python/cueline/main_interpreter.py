"""Refuses the import in a sub-interpreter, before the compiled module is loaded.

The set-up of the compiled module in a second interpreter would break every engine of the first one.
"""

import _thread

__all__: list[str] = []


def _is_main() -> bool:
    """Return whether this is Python's main interpreter."""
    if hasattr(_thread, "_is_main_interpreter"):  # from Python 3.12 on
        return bool(_thread._is_main_interpreter())
    try:
        import _xxsubinterpreters as interpreters  # type: ignore[import-not-found]  # typeshed does not have it
    except ImportError:  # the compiled module refuses it, later
        return True
    return bool(interpreters.get_current() == interpreters.get_main())


if not _is_main():
    raise ImportError(
        "cueline runs only in Python's main interpreter, and this is a sub-interpreter: create the engine in the main "
        "interpreter or in another process"
    )
