"""``python -m venice_contract``."""

from __future__ import annotations

import sys

from venice_contract.cli import main

if __name__ == "__main__":
    sys.exit(main())
