"""Locks that the kernel lets go of when the process that holds them ends, in whatever way.

Some file systems have no locks (NFS without its lock service, Lustre without `flock`). There a file
in this machine's temporary folder is locked in place of the one that is meant: processes of this
machine still see each other, those of others do not.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from advmip.closing import Closing

# What file systems without locks answer.
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_SECONDS_BETWEEN_TRIES = 0.05

_log = logging.getLogger(__name__)


class Lock(Closing):
    """A lock on a file, not taken yet; it lasts until it is closed, or its process ends.

    Args:
        path: The file, which is there.

    Raises:
        OSError: The file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY)

    def taken(self, *, shared: bool = False, patience: float = 0.0) -> bool:
        """Whether it could be taken within some seconds, by this process alone or shared."""
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        deadline = time.monotonic() + patience
        while True:
            try:
                self._flock(kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_SECONDS_BETWEEN_TRIES)
            else:
                return True

    def take(self, *, shared: bool = False) -> None:
        """Take it, however long that takes."""
        self._flock(fcntl.LOCK_SH if shared else fcntl.LOCK_EX)

    def let_go(self) -> None:
        """Give it up; it can be taken again."""
        self._flock(fcntl.LOCK_UN)

    def close(self) -> None:
        """Give it up for good."""
        os.close(self._descriptor)

    def _flock(self, operation: int) -> None:
        try:
            fcntl.flock(self._descriptor, operation)
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS or self._path.parent == _stand_ins():
                raise
            _log.warning(
                "%s is on a file system without locks: another machine that works on it "
                "is not noticed",
                self._path,
            )
            os.close(self._descriptor)
            self._path = _stand_in(self._path)
            self._descriptor = os.open(self._path, os.O_RDONLY)
            fcntl.flock(self._descriptor, operation)


def _stand_ins() -> Path:
    return Path(tempfile.gettempdir()) / "advmip-locks"


def _stand_in(path: Path) -> Path:
    """The file in this machine's temporary folder that is locked in place of another."""
    folder = _stand_ins()
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        folder.chmod(0o1777)  # other users' processes lock files there too
    stand_in = folder / sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    if not stand_in.exists():
        stand_in.touch(0o644)
    return stand_in
