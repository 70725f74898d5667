"""A second, deliberately naive reading of the rules, to hold the engine against.

It knows icans.record and icans.policy.policy only. What was known at an instant is filtered, sorted and recomputed
from nothing in the plainest way; nothing is kept between two instants but the ledger of what was shown.
Speed is not a goal. Entrance: ``tests.oracle.replay.replay``.
"""
