// An app with Redis as anybody might write it: it signs in with a managed identity, counts, keeps
// two things in step, and listens to itself. It says what it sees.
//
//   REDIS_URL=redis://my-redis:6380 node redis-app.mjs [SECONDS] [ROUNDS]
//
// It thinks for 2 seconds, 10 times, unless told otherwise. It knows nothing of credsim: with rediss:// and
// on a machine with a managed identity it works with a real Azure Managed Redis.

import { setTimeout } from "node:timers/promises";

import { createClient } from "@redis/client";
import { DEFAULT_TOKEN_MANAGER_CONFIG, EntraIdCredentialsProviderFactory } from "@redis/entraid";

const [seconds = 2, rounds = 10] = process.argv.slice(2).map(Number);
const start = performance.now();

function say(text) {
  console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${text}`);
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
  const client = createClient({ url: process.env.REDIS_URL ?? "redis://localhost:6379", credentialsProvider });
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
