"""All prose of the cards, one file a module of findings; numbers come from the finding and the policy.

For others: each file's ``WORDINGS``. Imports ``view``, ``markdown``, ``json_values`` and ``sources``.
"""
