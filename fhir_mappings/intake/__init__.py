"""Which bytes matter: bundles, NDJSON and prefetch values are searched for resources that are read.

For others: ``bundles``, ``prefetch``, ``gather``. Imports ``fhir_types`` and ``terminology``.
"""
