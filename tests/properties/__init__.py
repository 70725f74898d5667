"""Properties over generated courses; the engine is held against tests.oracle."""
