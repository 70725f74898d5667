"""24 hours without improvement, or worse on treatment: lines of treatment and their verdicts.

For others: ``treatment.Treatment``, ``lines.Line``. Imports ``icans.steroids`` and everything below it.
"""
