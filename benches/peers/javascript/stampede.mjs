// stampede.mjs KIND CALLERS SHIFT: so many callers at one moment. With a SHIFT above 0, there is a
// token in the cache, and the clock goes forward by so many seconds before they come.

import { shift } from "./clock.mjs";
import { build, lengthOf } from "./credentials.mjs";
import { ended, ready, tell } from "./protocol.mjs";

const [kind, callers, seconds] = process.argv.slice(2);
const ask = build(kind);
if (Number(seconds) > 0) {
  await ask();
  shift(Number(seconds));
}
await ready();

const start = performance.now();
let failure;
let failed = 0;
let length = 0;
const caller = async () => {
  try {
    length += lengthOf(await ask());
  } catch (error) {
    failed += 1;
    failure ??= `${error.name}: ${error.message}`.slice(0, 200);
  }
};
await Promise.all(Array.from({ length: Number(callers) }, caller));
const ms = performance.now() - start;
tell({ ms, failed, failure, used: length > 0 });
// What goes on in the background is the stampede's too. The runner ends this.
await ended();
