"""Calls to FHIR servers: addresses that may be called, connections, retries, pages, budgets of time.

For others: ``client.FhirClient``, ``prefetch``. Imports ``site`` and ``errors``.
"""
