"""The container of a proof: an .npz of numpy's, with `proof.json` beside its arrays.

    proof.json              format, version, network (file and digest), question, regions
    question/...            the arrays of the question (`questions.py`)
    region-0/cuts           of a tree over inputs (`input_trees.py`), with its cases and weights
    region-0/signs-3/...    of a tree over signs in a box of that tree
    region-0/nodes-0/...    of a tree over signs (`sign_nodes.py`), some nodes at a time
    region-0/inputs-of-0    of the layers with cuts, as are the nodes in region-0/cut-nodes-0/...

A region without a tree is proved by forms alone. Everything is compressed; arrays are written and
read one by one, so that a proof may be larger than the memory.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.questions import Question, read, written
from advmip.closing import Closing
from advmip.durability.storage import check_writable, write_atomically
from advmip.errors import InputError
from advmip.networks.network import Network

_FORMAT, _VERSION = "advmip proof", 3
# Version 1 had no cuts in trees over signs, version 2 no such trees in boxes.
_READ = (1, 2, _VERSION)
_HEADER = "proof.json"
SUFFIX = ".npz"
# A proof that is under way goes to a temporary file from so many bytes on.
_IN_MEMORY = 2**25


def check_proof_name(path: Path) -> None:
    """Find out that a proof can be written, before it is sought.

    Raises:
        InputError: It cannot, or has another name than an .npz.
    """
    if path.suffix != SUFFIX:
        raise InputError(
            subject=f"proof {path}",
            found=f"a name ending in {path.suffix!r}",
            expected=SUFFIX,
            mend="name such a file",
        )
    check_writable(path)


class ProofWriter(Closing):
    """Takes the parts of a proof while it is found, and writes them once it is whole."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self._archive = ZipFile(self._file, "w", ZIP_DEFLATED)
        self._regions = 0

    def close(self) -> None:
        """Let go of the file."""
        self._archive.close()
        self._file.close()

    def region(self) -> RegionWriter:
        """Begin the next region."""
        self._regions += 1
        return RegionWriter(self, f"region-{self._regions - 1}")

    def add(self, name: str, array: NDArray[Any]) -> None:
        """Add an array."""
        with self._archive.open(f"{name}.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)

    def write(self, path: Path, question: Question, network: Network) -> None:
        """Write the proof, atomically; it takes no more parts.

        Args:
            path: The file.
            question: What is proved.
            network: The network that it is about.
        """
        said, arrays = written(question)
        for name, array in arrays.items():
            self.add(f"question/{name}", array)
        header = {
            "format": _FORMAT,
            "version": _VERSION,
            "network": {"file": str(network.file or ""), "digest": network.digest},
            "question": said,
            "regions": self._regions,
        }
        self._archive.writestr(_HEADER, json.dumps(header, indent=1))
        self._archive.close()
        self._file.seek(0)
        with write_atomically(path) as temporary, temporary.open("wb") as file:
            shutil.copyfileobj(self._file, file)


class RegionWriter:
    """Takes what proves one region.

    Args:
        writer: The whole proof's.
        name: The region's.
    """

    def __init__(self, writer: ProofWriter, name: str) -> None:
        self._writer, self._name = writer, name

    def add(self, **arrays: NDArray[Any]) -> None:
        """Add arrays of the region by their names."""
        for name, array in arrays.items():
            self._writer.add(f"{self._name}/{name}", array)

    def part(self, name: str) -> RegionWriter:
        """A part of the region with arrays of its own."""
        return RegionWriter(self._writer, f"{self._name}/{name}")


class ProofFile(Closing):
    """A proof that is read, part by part.

    Args:
        path: The file.

    Attributes:
        question: What it proves.
        network_file: The name of the network's file; empty if there was none.
        digest: The network's.
        regions: How many there are.

    Raises:
        InputError: It is no proof, is damaged, or has another version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self.reading():
            self._archive = np.load(path, allow_pickle=False)
            if _HEADER not in getattr(self._archive, "files", ()):
                raise ValueError(f"no {_HEADER} in it")
            header = json.loads(self._archive[_HEADER])
            found = header["format"], header["version"]
            if found[0] != _FORMAT or found[1] not in _READ:
                raise ValueError(f"{found[0]} of version {found[1]}")
            self.network_file = str(header["network"]["file"])
            self.digest = str(header["network"]["digest"])
            self.regions = int(header["regions"])
            names = [name for name in self._archive.files if name.startswith("question/")]
            arrays = {name.removeprefix("question/"): self.array(name, "<f8") for name in names}
            self.question: Question = read(header["question"], arrays)

    def close(self) -> None:
        """Let go of the file."""
        self._archive.close()

    def region(self, number: int) -> RegionFile:
        """What proves a region."""
        return RegionFile(self, f"region-{number}")

    def __contains__(self, name: str) -> bool:
        return name in self._archive.files

    def array(self, name: str, kind: str) -> NDArray[Any]:
        """An array by its name.

        Raises:
            InputError: It is not there, or of another type.
        """
        with self.reading():
            found: NDArray[Any] = self._archive[name]
            if found.dtype != np.dtype(kind):
                raise ValueError(f"{name} of type {found.dtype}")
            return found

    def damaged(self, found: str) -> InputError:
        """The error for contents that are none of a proof."""
        return InputError(
            subject=f"proof {self._path}",
            found=found,
            expected=f"a proof of version {_VERSION}, written by `advmip verify ... --proof`",
            mend="write it again with that command",
        )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Say of what cannot be read in the block that the proof is damaged.

        Raises:
            InputError: It could not.
        """
        try:
            yield
        except InputError:
            raise
        except FileNotFoundError as error:
            raise self.damaged("no such file") from error
        except (
            *(OSError, ValueError, TypeError, KeyError, IndexError, EOFError, AttributeError),
            *(BadZipFile, zlib.error, NotImplementedError),
        ) as error:
            raise self.damaged(f"not readable ({error})") from error


class RegionFile:
    """What a file says of one region.

    Args:
        file: The whole proof.
        name: The region's.
    """

    def __init__(self, file: ProofFile, name: str) -> None:
        self._file, self._name = file, name

    def __contains__(self, name: str) -> bool:
        return f"{self._name}/{name}" in self._file

    def array(self, name: str, kind: str) -> NDArray[Any]:
        """An array by its name; see `ProofFile.array`."""
        return self._file.array(f"{self._name}/{name}", kind)

    def arrays(self, part: str, kinds: Mapping[str, str]) -> dict[str, NDArray[Any]]:
        """The arrays of a part, by name."""
        return {name: self.array(f"{part}/{name}", kind) for name, kind in kinds.items()}

    def part(self, name: str) -> RegionFile:
        """A part of the region with arrays of its own."""
        return RegionFile(self._file, f"{self._name}/{name}")

    def damaged(self, found: str) -> InputError:
        """The error for contents that are none of a proof."""
        return self._file.damaged(f"{found} in {self._name}")

    def reading(self) -> AbstractContextManager[None]:
        """As that of the whole proof."""
        return self._file.reading()
