"""Steroid exposure: equivalents, doses by instant, sums with their bounds, and the findings at thresholds.

For others: ``exposure.Exposure``. Imports ``icans.course`` and everything below it.
"""
