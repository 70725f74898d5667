"""Whom the service serves.

For others: ``development.not_served``. Imports ``site`` only.
"""
