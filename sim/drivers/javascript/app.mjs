// An app as anybody might write it: it gets a token now and then, and says as whom it acts.
//
//   node app.mjs [SECONDS] [ROUNDS]      every 2 seconds, 10 times, unless told otherwise
//
// It knows nothing of credsim. On a machine with a managed identity, or after `az login`, it says
// who you are in the real Azure.

import { setTimeout } from "node:timers/promises";

import { DefaultAzureCredential } from "@azure/identity";

const [seconds = 2, rounds = 10] = process.argv.slice(2).map(Number);
const credential = new DefaultAzureCredential();
const start = performance.now();

/** As whom a token acts: the claims of a JWT are its second part. */
function actor(token) {
  const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
  return claims.upn ?? claims.preferred_username ?? claims.unique_name ?? `app ${claims.oid}`;
}

for (let round = 0; round < rounds; round += 1) {
  if (round > 0) await setTimeout(seconds * 1000);
  let line;
  try {
    const { token, expiresOnTimestamp } = await credential.getToken("https://vault.azure.net/.default");
    line = `I am ${actor(token)}, until ${new Date(expiresOnTimestamp).toISOString()}`;
  } catch (error) {
    line = `no token: ${error.message.split("\n")[0]}`;
  }
  console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}
