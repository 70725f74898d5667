"""The command line ``icans-cds``.

For others: ``main.main``. Imports everything; what a command needs is imported when it runs.
"""
