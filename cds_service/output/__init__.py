"""Results as text and as pages.

For others: ``text``, ``html``. Imports the use cases and ``published``.
"""
