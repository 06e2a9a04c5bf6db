"""One measurement in one fresh process."""

import json
import os
import selectors
import subprocess
import tempfile
from time import perf_counter

# For DefaultAzureCredential, whose EnvironmentCredential is to answer.
APPLICATION = {
    "AZURE_TENANT_ID": "22222222-0000-0000-0000-000000000001",
    "AZURE_CLIENT_ID": "11111111-0000-0000-0000-000000000001",
    "AZURE_CLIENT_SECRET": "a-secret-of-the-benches",
}


class Failed(Exception):
    """A script ended without an answer, or with one that can't be true."""


class Script:
    """A running script. Use it in a `with`: at its end, the process is gone."""

    def __init__(self, command, service, home, kind=""):
        variables = {"PATH": os.environ.get("PATH", ""), "HOME": home, "LANG": "C.UTF-8"}
        variables |= service.variables
        if kind.startswith("default"):
            variables |= APPLICATION
        self._command = command
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self.started = perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=variables,
            bufsize=0,
        )
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._errors.close()

    def line(self, within):
        """The next line that it says, or None where none comes within so many seconds."""
        end = perf_counter() + within
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                left = end - perf_counter()
                if left <= 0 or not selector.select(left):
                    return None
                found = self._process.stdout.read(65536)
                if not found:
                    raise Failed(self._said())
                self._buffer += found
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def wait_ready(self):
        """Waits until everything is in place there."""
        if self.line(60) is None:
            raise Failed(f"{self._named()} was not ready within 60 s")

    def go(self):
        """Gives the word."""
        self._process.stdin.write(b"go\n")

    def _named(self):
        return " ".join(os.path.basename(str(part)) for part in self._command)

    def _said(self):
        self._process.wait()
        self._errors.seek(0)
        last = "".join(self._errors.readlines()[-20:])
        return f"{self._named()} ended with {self._process.returncode} and said:\n{last}"


def used(answer, script):
    """The answer, if the tokens behind it were real ones."""
    if answer is None:
        raise Failed(f"{script} took too long")
    if not answer.get("used"):
        raise Failed(f"{script}: the tokens do not add up")
    return answer
