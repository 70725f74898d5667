"""Mutated FHIR: single resources against a second, naive reading; whole charts through every door."""
