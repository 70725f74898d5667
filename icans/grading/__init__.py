"""One assessment becomes an interval of ASTCT grades: ICE, domains, sedation, and what is in force at an instant.

For others: ``astct.GradeRange``, ``assessment.Assessment``. Imports ``icans.policy`` and ``icans.record``.
"""
