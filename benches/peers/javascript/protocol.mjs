// How the scripts talk with the runner: a line of JSON each way.

import { once } from "node:events";

export function tell(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

// Says that everything is in place, and waits for the word.
export async function ready() {
  tell({ ready: true });
  await once(process.stdin, "data");
}

// For good: the runner has its counts from the service first, then ends the process.
export function ended() {
  return new Promise(() => setInterval(() => {}, 1000));
}

// The last word. What is still open does not matter.
export function done(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`, () => process.exit(0));
}
