"""`python -m sparktui`, and the `sparktui` command."""

from __future__ import annotations

from sparktui.cli import main

if __name__ == "__main__":
    main()
