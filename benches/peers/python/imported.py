"""The library is loaded, and nothing else: azure.identity, or the module that is named."""

import importlib
import sys

from protocol import done

library = importlib.import_module(sys.argv[1])
done({"used": bool(library.ClientSecretCredential)})
