// Drives the published @azure/identity for credsim. What is said on standard input and output is
// in ../README.md; each question and each answer is one JSON object a line.
//
// Nothing of the SDK is replaced: credentials are built by its public constructors and asked by
// getToken(). Only the chance in its waits comes from the seed of the run, so that a run can be
// repeated. Its log is listened to, at level "info", because that is where a chain says which of
// its members answered; warnings and errors are passed on.

import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import * as identity from "@azure/identity";
import { AzureLogger, setLogLevel } from "@azure/logger";

import { describe } from "./errors.mjs";
import { build, credentials, reasons } from "./kinds.mjs";
import { seeded } from "./random.mjs";

const PROTOCOL = 1;

if (process.env.CREDSIM_SEED) {
  Math.random = seeded(process.env.CREDSIM_SEED);
}

// Standard output belongs to the protocol, whoever writes to the console.
console.log = console.error;
console.info = console.error;

function say(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

/** The built credentials, by the number that credsim gave them. */
const built = new Map();

/** What ends an open getToken, by the number of the question. */
const open = new Map();

/** During a getToken: what is learnt about it on the way. */
const asking = new AsyncLocalStorage();

setLogLevel("info");
AzureLogger.log = (...parts) => {
  const line = parts.join(" ");
  const level = /^azure:\S*?(warning|error)\b/.exec(line)?.[1];
  // core-client warns of how the SDK itself is written, which is nobody's concern here.
  if (level && !line.startsWith("azure:core-client:")) {
    say({ event: "log", level: level === "error" ? "error" : "warn", message: line });
  }
  // A chain inside a chain says it before the outer one does, which then names the chain.
  const answered = /ChainedTokenCredential => getToken\(\) => Result for (\w+): SUCCESS/.exec(line);
  const inAChain = asking.getStore();
  if (answered && inAChain && !isChain(answered[1])) {
    inAChain.answeredBy = answered[1];
  }
};

function isChain(name) {
  return name === "ChainedTokenCredential" || name === "DefaultAzureCredential";
}

function hello() {
  const manifest = new URL("./node_modules/@azure/identity/package.json", import.meta.url);
  return {
    protocol: PROTOCOL,
    sdk: "azure-identity-js",
    version: JSON.parse(readFileSync(manifest, "utf8")).version,
    runtime: `node ${process.version}`,
    credentials,
    requests: ["tenant", "claims", "cae"],
    reasons,
  };
}

function newCredential(question) {
  const credential = build(identity, question.kind, question.options);
  built.set(question.credential, credential);
  return { class: credential.constructor.name };
}

async function getToken(question) {
  const credential = built.get(question.credential);
  const name = credential.constructor.name;
  const ends = new AbortController();
  open.set(question.id, ends);
  try {
    const learnt = { answeredBy: isChain(name) ? "" : name };
    const options = { abortSignal: ends.signal };
    if (question.tenant) options.tenantId = question.tenant;
    if (question.claims) options.claims = question.claims;
    if (question.cae) options.enableCae = true;
    const token = await asking.run(learnt, () => credential.getToken(question.scopes, options));
    if (!token) {
      throw new TypeError(`${name}.getToken() gave ${token} instead of a token`);
    }
    return {
      token: token.token,
      "expires-on": token.expiresOnTimestamp,
      "refresh-on": token.refreshAfterTimestamp ?? null,
      "answered-by": learnt.answeredBy,
    };
  } finally {
    open.delete(question.id);
  }
}

const answers = { hello, "new-credential": newCredential, "get-token": getToken };

async function answer(question) {
  const how = answers[question.do];
  if (!how) {
    return say({ id: question.id, unsupported: `protocol ${PROTOCOL} has no "${question.do}"` });
  }
  try {
    say({ id: question.id, ok: await how(question) });
  } catch (error) {
    say({ id: question.id, error: describe(error, question.do === "new-credential") });
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const question = JSON.parse(line);
    switch (question.do) {
      // These two want no answer.
      case "cancel":
        open.get(question.id)?.abort();
        break;
      case "forget":
        built.delete(question.credential);
        break;
      default:
        answer(question);
    }
  })
  // Whatever the SDK still waits for: credsim has gone.
  .on("close", () => process.exit(0));
