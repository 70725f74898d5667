"""Whose a resource is, which of its versions counts, and the one record of a patient.

For others: ``record``. Imports every other room of the reading but ``mapping_check``.
"""
