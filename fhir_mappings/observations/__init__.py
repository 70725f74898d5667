"""Observations and questionnaire answers as entries of a record.

For others: ``observation.read_observation``. Imports ``intake``, ``fhir_types`` and ``terminology``.
"""
