"""What a site sets: settings, policy file, mappings, time zone; and the version of the program.

For others: ``site.Site``, ``settings``. Imports ``errors`` and the three rooms below the doors.
"""
