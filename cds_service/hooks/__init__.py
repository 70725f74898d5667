"""A CDS Hooks call from body to body: services, request, access to the EHR's server, answer. No Flask.

For others: ``answer``, ``discovery``, ``services``. Imports the use cases, ``fhir_client`` and ``site``.
"""
