"""Codes, names and units: FHIR CodeSystem, ValueSet and ConceptMap files (``bundled``, a site's own over them).

For others: ``lookup.Terminology``. Imports no other room.
"""
