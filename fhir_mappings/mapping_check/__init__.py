"""What of some data is understood, looks relevant and is not, or is irrelevant (``icans-cds mappings check``).

For others: ``check``. Imports every other room of the reading but ``patients.record``.
"""
