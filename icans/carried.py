"""What rules carry from one instant to the next."""

from __future__ import annotations

from typing import Self


class Carried:
    """Copied for checkpoints: an attribute gets a new value, and no value is ever changed in place."""

    def copy(self) -> Self:
        """Another one with the same values."""
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        return twin
