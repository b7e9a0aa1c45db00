"""The `payorcrm` command."""

import sys

from payorcrm.commands.line import main

if __name__ == "__main__":
    sys.exit(main())
