"""MedicationAdministrations as doses, sedatives, escalations and infusions of a record.

For others: ``administration``. Imports ``intake``, ``fhir_types`` and ``terminology``.
"""
