// memory.mjs KIND COUNT TOKENS: bytes for each of COUNT credentials, without and with a token, and
// for each of TOKENS more tokens of one credential. Needs --expose-gc.

import { build, lengthOf, scope } from "./credentials.mjs";
import { done, ready } from "./protocol.mjs";

const [kind, ...given] = process.argv.slice(2);
const [count, tokens] = given.map(Number);

function used() {
  gc();
  gc();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heap: heapUsed };
}

function each(before, after, of) {
  return { rss: (after.rss - before.rss) / of, heap: (after.heap - before.heap) / of };
}

const first = build(kind);
await ready();
// Code and connections that all share are there before the first measurement.
let length = lengthOf(await first());

const empty = used();
const all = Array.from({ length: count }, () => build(kind));
const constructed = used();
for (const ask of all) length += lengthOf(await ask());
const filled = used();
for (let number = 0; number < tokens; number += 1) {
  length += lengthOf(await first(scope.replace("vault", `v${number}`)));
}
const more = used();
done({
  constructed: each(empty, constructed, count),
  filled: each(empty, filled, count),
  token: each(filled, more, tokens),
  used: length > 0 && all.length === count,
});
