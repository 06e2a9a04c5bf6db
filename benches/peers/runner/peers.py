"""Who is measured, and by which script."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PYTHON = HERE / "python" / "venv" / "bin" / "python"
NODE = shutil.which("node")


@dataclass(frozen=True)
class Peer:
    """One thing that hands out tokens."""

    language: str
    kind: str
    what: str

    @property
    def is_aio(self):
        return self.kind.endswith("-aio")

    @property
    def who(self):
        return WHO[self.language]

    def command(self, script, *arguments):
        """Runs a script of the peer's language. Node lets one collect garbage only when asked."""
        given = [str(argument) for argument in arguments]
        if self.language == "rust":
            # Beside the service, of the same build.
            return [str(Path(os.environ["PEER_SERVICE"]).parent / f"{script}-token"), *given]
        if self.language == "javascript":
            return [NODE, "--expose-gc", str(HERE / "javascript" / f"{script}.mjs"), *given]
        return [str(PYTHON), str(HERE / "python" / f"{script}.py"), *given]


def _version(folder, package):
    manifest = HERE / folder / "node_modules" / package / "package.json"
    return json.loads(manifest.read_text(encoding="utf-8"))["version"]


def _python_version(package):
    code = f"from importlib.metadata import version; print(version('{package}'))"
    told = subprocess.run([PYTHON, "-c", code], check=True, capture_output=True, text=True)
    return told.stdout.strip()


# The versions that are really there.
WHO = {
    "rust": "credsim-identity",
    "javascript": f"azure-identity (JavaScript) {_version('javascript', '@azure/identity')}",
    "python": f"azure-identity (Python) {_python_version('azure-identity')}",
}

CLIENT_SECRET = "ClientSecretCredential"
MANAGED_IDENTITY = "ManagedIdentityCredential (IMDS)"
DEFAULT = "DefaultAzureCredential (environment)"

# What measuring costs: the same loop around a function that returns a constant.
NOTHING = [
    Peer("javascript", "nothing", "nothing (an async function)"),
    Peer("python", "nothing", "nothing (a function)"),
    Peer("python", "nothing-aio", "nothing (an async function)"),
]

SINGLE = [
    Peer("javascript", "client-secret", CLIENT_SECRET),
    Peer("javascript", "managed-identity", MANAGED_IDENTITY),
    Peer("python", "client-secret", CLIENT_SECRET),
    Peer("python", "managed-identity", MANAGED_IDENTITY),
    Peer("python", "client-secret-aio", f"{CLIENT_SECRET}, aio"),
    Peer("python", "managed-identity-aio", f"{MANAGED_IDENTITY}, aio"),
]

# Ours, where a process of its own is what is measured.
OURS = [
    Peer("rust", "client-secret", CLIENT_SECRET),
    Peer("rust", "managed-identity", MANAGED_IDENTITY),
]

PROVIDER = [Peer("javascript", "bearer-token-provider", "getBearerTokenProvider")]

DEFAULTS = [
    Peer("javascript", "default", DEFAULT),
    Peer("python", "default", DEFAULT),
    Peer("python", "default-aio", f"{DEFAULT}, aio"),
]
