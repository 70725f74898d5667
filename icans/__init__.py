"""The clinic: ICANS grading, its course over time, steroid exposure and refractoriness. Pure: no I/O, no clock."""

from icans.engine.run import evaluate, replay

__all__ = ["evaluate", "replay"]
