from __future__ import annotations

from tests.runner.conftest import owner

__all__ = ["owner"]
