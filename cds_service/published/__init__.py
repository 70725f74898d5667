"""The JSON that others rely on: results and their schemas.

For others: ``result_json``, ``schemas``. Imports ``cards`` and ``icans``.
"""
