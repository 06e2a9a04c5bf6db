// An app with Redis as anybody might write it: it signs in with a managed identity, counts, keeps
// two things in step, and listens to itself. It says what it sees.
//
//   REDIS_URL=redis://my-redis:6380 node redis-app.mjs [SECONDS] [ROUNDS] [--resp 2] [--not-by-hand]
//
// It thinks for 2 seconds, 10 times, unless told otherwise; with --not-by-hand not in the middle of
// a transaction. It knows nothing of credsim: with rediss:// and
// on a machine with a managed identity it works with a real Azure Managed Redis.

import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";

import { createClient } from "@redis/client";
import { DEFAULT_TOKEN_MANAGER_CONFIG, EntraIdCredentialsProviderFactory } from "@redis/entraid";

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: { resp: { type: "string", default: "3" }, "not-by-hand": { type: "boolean", default: false } },
});
const [seconds = 2, rounds = 10] = positionals.map(Number);
const start = performance.now();

function say(text) {
  console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${text}`);
}

// MSAL asks for the tokens of a managed identity by itself and heeds no proxy: where there is one,
// it would go around it, to whatever answers at 169.254.169.254.
const { HTTP_PROXY, http_proxy, AZURE_POD_IDENTITY_AUTHORITY_HOST } = process.env;
if ((HTTP_PROXY || http_proxy) && !AZURE_POD_IDENTITY_AUTHORITY_HOST) {
  console.error("HTTP_PROXY is set, and MSAL would not use it: say in AZURE_POD_IDENTITY_AUTHORITY_HOST where IMDS is");
  process.exit(1);
}

/** What came of something, in one line. */
async function told(what, work) {
  try {
    // Among the replies of EXEC there may be errors.
    const error = (_, value) => (value instanceof Error ? value.message : value);
    say(`${what}: ${JSON.stringify(await work(), error)}`);
  } catch (error) {
    say(`${what} failed: ${error.message.split("\n")[0]}`);
  }
}

// One provider for all connections: it asks for a token, and again after 70 % of its life.
const credentialsProvider = EntraIdCredentialsProviderFactory.createForSystemAssignedManagedIdentity({
  tokenManagerConfig: DEFAULT_TOKEN_MANAGER_CONFIG,
  onReAuthenticationError: (error) => say(`re-authentication: ${error.message}`),
  onRetryableError: (message) => say(`token: ${message}`),
});

async function connect(name) {
  const url = process.env.REDIS_URL ?? "redis://localhost:6379";
  const client = createClient({ url, RESP: Number(options.resp), credentialsProvider });
  client.on("error", (error) => say(`${name}: ${error.message || error.code}`));
  client.on("ready", () => say(`${name}: connected`));
  await client.connect();
  return client;
}

const client = await connect("client");
const subscriber = await connect("subscriber");
await subscriber.subscribe("news", (message) => say(`heard: ${message}`));
await told("I am", () => client.sendCommand(["ACL", "WHOAMI"]));

for (let round = 1; round <= rounds; round += 1) {
  await told(`round ${round}`, () => client.incr("rounds"));
  // The client's own way: MULTI, the commands and EXEC leave together.
  await told("transaction", () => client.multi().set("a", round).set("b", round).exec());
  await told("published to", () => client.publish("news", `round ${round}`));
  if (options["not-by-hand"]) {
    await setTimeout(seconds * 1000);
    continue;
  }
  // By hand, with time to think in between: what the client itself sends on this connection
  // meanwhile becomes part of it.
  await told("by hand", async () => {
    await client.sendCommand(["MULTI"]);
    await client.sendCommand(["SET", "a", `${round}`]);
    await setTimeout(seconds * 1000);
    await client.sendCommand(["SET", "b", `${round}`]);
    return client.sendCommand(["EXEC"]);
  });
}
client.destroy();
subscriber.destroy();
// A provider keeps the process alive for as long as its tokens do.
process.exit();
