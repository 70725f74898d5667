"""Cyclic garbage collection, kept out of where it finds nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """No cyclic garbage collection meanwhile.

    An evaluation or a replay keeps its whole history until it ends, without cycles: collecting finds nothing and
    scans everything, more often the longer the record is.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
