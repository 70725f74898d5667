"""Pages a browser shows.

For others: their blueprints or views, used by ``web.app``.
"""
