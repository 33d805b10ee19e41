"""Iterates in files, so that a run that was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from advmip.closing import Closing
from advmip.durability.journal import Journal
from advmip.durability.storage import file_digest, write_atomically
from advmip.finetuning.separation import Linearisation

_LOSSES, _GRADIENT = "image_losses", "gradient"


class Iterates(Closing):
    """What is known of iterates: numbers in a journal, arrays in a file each beside it.

    Everything else of a run is computed again from these, in the same order, so that one that was
    stopped comes to the same weights, to the last bit.

    Args:
        path: The journal; the files' folder has its name, without suffix.
        identity: What every iterate depends on, as a `Journal` asks.

    Raises:
        InputError: Another process has the journal open, or it is damaged.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self._journal = Journal(path, identity)
        self._folder = path.with_suffix("")

    def close(self) -> None:
        """Release the journal for other processes."""
        self._journal.close()

    def recall(self, iteration: int) -> Linearisation | None:
        """What was kept of an iterate; None if nothing was, or its file is another one now."""
        kept, file = self._journal.get(str(iteration)), self._file(iteration)
        if kept is None or not file.is_file() or file_digest(file) != kept["digest"]:
            return None
        arrays = load_file(file)
        return Linearisation(
            violation=kept["violation"],
            image_losses=arrays.pop(_LOSSES),
            gradient=arrays.pop(_GRADIENT),
            found=arrays,
            seconds=tuple(kept["seconds"]),
        )

    def keep(self, iteration: int, known: Linearisation) -> None:
        """Write the arrays, then the line that says they are whole."""
        arrays = {_LOSSES: known.image_losses, _GRADIENT: known.gradient, **known.found}
        file = self._file(iteration)
        with write_atomically(file) as temporary:
            save_file({name: array.contiguous() for name, array in arrays.items()}, temporary)
        kept = {
            "violation": known.violation,
            "seconds": known.seconds,
            "digest": file_digest(file),
        }
        self._journal.record(str(iteration), kept)

    def _file(self, iteration: int) -> Path:
        return self._folder / f"{iteration}.safetensors"
