"""The 24-hour definition of refractoriness, read a second time (D)."""
