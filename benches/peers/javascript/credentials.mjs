// What is measured, by name: how to ask for a token, and for one of another scope.

import "./guard.mjs";
import {
  ClientSecretCredential,
  DefaultAzureCredential,
  ManagedIdentityCredential,
  getBearerTokenProvider,
} from "@azure/identity";

export const scope = "https://vault.azure.net/.default";

const options = {
  authorityHost: process.env.AZURE_AUTHORITY_HOST,
  // There is no list of clouds on this machine to look 127.0.0.1 up in.
  disableInstanceDiscovery: true,
};

const tenant = "22222222-0000-0000-0000-000000000001";
const client = "11111111-0000-0000-0000-000000000001";

function clientSecret() {
  return new ClientSecretCredential(tenant, client, "a-secret-of-the-benches", options);
}

function asking(credential) {
  return (of = scope) => credential.getToken(of);
}

export const kinds = {
  // What the measuring itself costs.
  nothing: () => {
    const token = { token: "x".repeat(1700) };
    return async () => token;
  },
  "client-secret": () => asking(clientSecret()),
  "managed-identity": () => asking(new ManagedIdentityCredential()),
  "bearer-token-provider": () => getBearerTokenProvider(clientSecret(), scope),
  // Its EnvironmentCredential answers, from AZURE_CLIENT_SECRET and its kin.
  default: () => asking(new DefaultAzureCredential(options)),
};

// How many characters the token has: a provider gives the text itself.
export function lengthOf(answer) {
  return (answer.token ?? answer).length;
}

export function build(kind) {
  const make = kinds[kind];
  if (!make) {
    console.error(`no ${kind}; there are: ${Object.keys(kinds).join(", ")}`);
    process.exit(2);
  }
  return make();
}
