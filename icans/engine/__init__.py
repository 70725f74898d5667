"""One pass over a record: what becomes known when, the fold of all rules, what was shown, and why.

For others: ``run.evaluate`` and ``run.replay``, offered by ``icans``. Imports every other room of the clinic.
"""
