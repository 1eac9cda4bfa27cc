"""Pages of the documentation that are generated: `UPDATE_DOCS=1 pytest tests/docs` writes them."""

import os

from ..folder import REPOSITORY


def page_of(name: str, generated: str) -> str:
    """The page in docs/ as it is, which must equal what is generated; updated first where that is asked for."""
    path = REPOSITORY / "docs" / name
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(generated, "utf-8")
    return path.read_text("utf-8")
