"""Nothing here may ask a service that is not the one of the benches, on this machine."""

import os
import sys
from urllib.parse import urlsplit

for name in ("AZURE_AUTHORITY_HOST", "AZURE_POD_IDENTITY_AUTHORITY_HOST"):
    host = urlsplit(os.environ.get(name, "")).hostname or "nothing"
    if host != "127.0.0.1":
        sys.exit(f"{name} must lead to 127.0.0.1, and leads to {host}: start this by benches/peers/run")
