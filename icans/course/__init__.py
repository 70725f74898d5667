"""The grade over time: headline, episodes, what is overdue, and the charted grade next to the computed one.

For others: ``course.Course``. Imports the chart, ``icans.grading``, findings, policy and record.
"""
