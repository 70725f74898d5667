"""Every number a rule uses, with its unit and source. ``policy`` is data only, ``file`` reads the TOML text.

For others: ``policy.Policy``, ``file.load_policy``. Imports ``icans.record`` at most; pydantic in ``file`` only.
"""
