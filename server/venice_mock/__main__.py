"""``python -m venice_mock`` is ``venice-mock``."""

import sys

from venice_mock.cli import main

if __name__ == "__main__":
    sys.exit(main())
