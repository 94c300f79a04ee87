# SPDX-License-Identifier: MIT
"""What a sweep has done, kept while it goes on, so that one that was stopped can go on where it was."""

import fcntl
import hashlib
import os
import pathlib
import pickle
import sys


def digest(malloc):
    """Of all that verdicts depend on: the tools, and the sweep itself."""
    here = pathlib.Path(__file__).parent
    found = hashlib.sha256(str(malloc).encode())
    for path in sorted([*pathlib.Path(os.environ["IPCTOOLS_BIN"]).iterdir(), here / "sweep",
                        *here.glob("*.py"), *here.glob("*.c"), *here.glob("../support/*.py")]):
        found.update(path.read_bytes())
    return found.hexdigest()


class Journal:
    """One verdict behind the other, behind the digest. The last may have been cut off. It is locked;
    processes that were forked before do not keep it so."""

    def __init__(self, path, malloc):
        self.verdicts, self.path, self.file = [], path, None
        if not path:
            return
        self.file = open(path, "a+b")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"sweep: another sweep is writing {path}")
        self.file.seek(0)
        end, of = 0, digest(malloc)
        try:
            if pickle.load(self.file) == of:
                end = self.file.tell()
                while True:
                    self.verdicts.append(pickle.load(self.file))
                    end = self.file.tell()
        except (EOFError, pickle.UnpicklingError):
            pass
        self.file.truncate(end)
        if end == 0:
            self.append(of)

    def add(self, verdict):
        self.append(verdict._replace(stdout=verdict.stdout[-200:], stderr=verdict.stderr[:1000]))

    def append(self, entry):
        if self.file:
            pickle.dump(entry, self.file)
            self.file.flush()
