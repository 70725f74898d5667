"""FHIR elements as typed classes, and whether a resource is valid (fhir.resources is the judge).

For others: ``decode``, ``validate``. Imports ``terminology`` only.
"""
