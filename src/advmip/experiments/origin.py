"""The columns of a row that say where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable

from advmip.experiments.rows import Row
from advmip.provenance import code_digest, provenance


def origin_columns(threads: int, code: Iterable[str]) -> Row:
    """Threads, the digest of the code that decides the row, versions and machine.

    Args:
        threads: Threads given to the run.
        code: Parts of the library, as in `code_digest`.
    """
    return {
        "threads": threads,
        "code": code_digest(*code),
        "provenance": json.dumps(provenance(threads), sort_keys=True),
    }
