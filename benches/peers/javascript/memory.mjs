// memory.mjs KIND COUNT: bytes for each of so many credentials, without and with a token, and for
// each of so many more tokens of one credential. Needs --expose-gc.

import { build, lengthOf, scope } from "./credentials.mjs";
import { done, ready } from "./protocol.mjs";

const [kind, given] = process.argv.slice(2);
const count = Number(given);

function used() {
  gc();
  gc();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heap: heapUsed };
}

function each(before, after) {
  return { rss: (after.rss - before.rss) / count, heap: (after.heap - before.heap) / count };
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
for (let number = 0; number < count; number += 1) {
  length += lengthOf(await first(`${scope.replace("vault", `v${number}`)}`));
}
const more = used();
done({
  constructed: each(empty, constructed),
  filled: each(empty, filled),
  token: each(filled, more),
  used: length > 0 && all.length === count,
});
