"""What is measured, by name: how to ask for a token, and for one of another scope.

The libraries are loaded by who needs them, for loading is measured too.
"""

import os
import sys

import guard  # noqa: F401

SCOPE = "https://vault.azure.net/.default"
TENANT = "22222222-0000-0000-0000-000000000001"
CLIENT = "11111111-0000-0000-0000-000000000001"


def _options():
    # There is no list of clouds on this machine to look 127.0.0.1 up in.
    return {"authority": os.environ["AZURE_AUTHORITY_HOST"], "disable_instance_discovery": True}


def _asking(credential):
    get_token = credential.get_token
    return lambda scope=SCOPE: get_token(scope)


class _Token:
    token = "x" * 1700


def _client_secret(library):
    secret = "a-secret-of-the-benches"
    return library.ClientSecretCredential(TENANT, CLIENT, secret, **_options())


def build(kind):
    """Something that, called, asks for a token; with "-aio" in its name, it wants to be awaited."""
    name = kind.removesuffix("-aio")
    is_aio = kind.endswith("-aio")
    if name == "nothing":
        return _nothing_aio() if is_aio else (lambda: _Token)
    if is_aio:
        import azure.identity.aio as library
    else:
        import azure.identity as library
    if name == "client-secret":
        return _asking(_client_secret(library))
    if name == "managed-identity":
        return _asking(library.ManagedIdentityCredential())
    if name == "default":
        # Its EnvironmentCredential answers, from AZURE_CLIENT_SECRET and its kin.
        return _asking(library.DefaultAzureCredential(**_options()))
    sys.exit(f"no {kind}; there are: nothing, client-secret, managed-identity, default, each also with -aio")


def _nothing_aio():
    async def ask():
        return _Token

    return ask
