"""The rules as scenarios: a few lines of table in, the expected table out. docs/scenarios.md shows them."""
