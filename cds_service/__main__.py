"""``python -m cds_service`` is ``icans-cds``."""

import sys

from cds_service.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())
