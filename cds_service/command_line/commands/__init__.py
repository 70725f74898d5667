"""One file a command.

For others: the functions that ``command_line.main`` names.
"""
