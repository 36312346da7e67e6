"""A subprocess that reads damaged files, one after another, within limits of memory and time.

libhdf5 may crash or hang on what it is given here, and a fault of ours must not take the tests
with it. The worker reads a line for each file (the path, and that
of the undamaged file) and answers with one of JSON.
"""

import json
import os
import resource
import select
import subprocess
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

MEMORY = 1 << 30  # bytes beyond what the imports take
SECONDS = 10.0  # of processor time, for one file
PATIENCE = 60.0  # seconds after which a worker that has not answered hangs


class Worker:
    """Drives one subprocess, and starts another where it died or was killed."""

    def __init__(self, reader: str, warm_up: Path) -> None:
        self.reader = reader
        self.warm_up = warm_up
        self.process: subprocess.Popen[str] | None = None

    def send(self, path: Path, undamaged: Path) -> None:
        """Have a file read; :meth:`receive` gives the answer."""
        if self.process is not None and self.process.poll() is not None:
            self.close()
        if self.process is None:
            self.process = subprocess.Popen(  # noqa: S603 - our own module
                [
                    sys.executable,
                    "-X",
                    "faulthandler",
                    "-W",
                    "error",
                    "-m",
                    "tests.hostile_worker",
                    self.reader,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[1],
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
            self._write(self.warm_up, self.warm_up)
            self.receive()
        self._write(path, undamaged)

    def receive(self) -> dict[str, Any]:
        """Give ``facts`` and ``seconds``, or an ``error``."""
        assert self.process is not None
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        how = f"no answer within {PATIENCE:.0f} s"
        if ready:
            how = f"died ({self.process.wait(PATIENCE)})"
        self.close()
        return {"error": how}

    def close(self) -> None:
        """End the subprocess."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
        self.process = None

    def _write(self, *paths: Path) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write("\t".join(map(str, paths)) + "\n")
        self.process.stdin.flush()


def main(reader: str) -> None:
    """Answer until the input ends."""

    # The parent needs none of this.
    read = getattr(import_module(f"tests.hostile_{reader}"), f"by_{reader}")
    answers, limited = os.fdopen(os.dup(1), "w"), False
    os.dup2(2, 1)  # whatever else is printed
    for line in sys.stdin:
        before = time.process_time()
        try:
            paths = map(Path, line.rstrip("\n").split("\t"))
            answer: dict[str, Any] = {"facts": read(*paths)}
        except BaseException:  # noqa: BLE001 - which one it was is the answer
            answer = {"error": traceback.format_exc()}
        answer["seconds"] = time.process_time() - before
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if not limited:
            _limit_memory()
            limited = True


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main(sys.argv[1])
