"""The demonstration patients, and how they are moved in time.

For others: the JSON files, ``shifting``. Imports nothing of the project.
"""
