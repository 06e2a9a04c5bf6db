"""The service on this machine, and what reached it."""

import json
import subprocess
import urllib.request
from pathlib import Path
from time import sleep


class Service:
    """Runs the service's program. Use it in a `with`."""

    def __init__(self, program, folder):
        self._certificate = Path(folder) / "authority.pem"
        self._process = subprocess.Popen(
            [program, self._certificate], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"peers: {program} did not start")
        places = json.loads(line)
        self._imds = places["imds"]
        # Nothing that this machine has set may lead a client anywhere else.
        self.variables = {
            "AZURE_AUTHORITY_HOST": places["entra"],
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": places["imds"],
            "NODE_EXTRA_CA_CERTS": str(self._certificate),
            "REQUESTS_CA_BUNDLE": str(self._certificate),
            "SSL_CERT_FILE": str(self._certificate),
        }
        # No proxy of this machine, either.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def reset(self, delay_ms):
        """Counts from 0; answers take so long from now on."""
        self._ask(f"/control/reset/{delay_ms}", b"")

    def counts(self):
        """What reached it since: `tokens`, `discoveries`, `refused`, and `peak`."""
        return self._ask("/control/counts")

    def settle(self):
        """Waits until nothing reaches it any more, 30 s at most."""
        before = None
        for _ in range(60):
            now = self.counts()
            if now == before:
                break
            before = now
            sleep(0.5)

    def _ask(self, path, body=None):
        with self._opener.open(self._imds + path, body, timeout=30) as answer:
            return json.load(answer)
