"""The HTTP door: Flask routes, the server process, pages.

For others: ``app.create_app``, ``server.serve``. Imports ``hooks``, ``output`` and everything below them.
"""
