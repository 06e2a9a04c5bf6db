// hit.mjs KIND SECONDS: what a token from a warm cache costs.

import { build, lengthOf } from "./credentials.mjs";
import { done, ready } from "./protocol.mjs";

const [kind, seconds] = process.argv.slice(2);
const time = Number(seconds) * 1000;

// So many hits between two looks at the clock: of one caller, and of each of many.
const batch = 16;
const batchOfEach = 4;

// The least that warms up.
const warmUpHits = time * 10;

// A fixed loop over integers. How long it takes tells how busy the machine is.
function noise() {
  const turns = 5_000_000;
  const start = performance.now();
  let state = 1;
  for (let turn = 0; turn < turns; turn += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  }
  const ns = ((performance.now() - start) * 1e6) / turns;
  return state === 0 ? 0 : ns;
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

// What two readings of the clock cost: it is part of each call that is timed alone.
function timerFloor() {
  const found = new Float64Array(20_000);
  for (let index = 0; index < found.length; index += 1) {
    const start = performance.now();
    found[index] = performance.now() - start;
  }
  return quantile(found.sort(), 0.5) * 1e6;
}

// One caller after another: ns per hit, on the wall and of the processor.
async function sequential(ask, used) {
  const before = process.cpuUsage();
  const start = performance.now();
  let hits = 0;
  let now = start;
  while (now - start < time) {
    for (let turn = 0; turn < batch; turn += 1) {
      used.length += lengthOf(await ask());
    }
    hits += batch;
    now = performance.now();
  }
  used.hits += hits;
  const { user, system } = process.cpuUsage(before);
  return { wall: ((now - start) * 1e6) / hits, processor: ((user + system) * 1e3) / hits };
}

// Each call timed alone: ns, sorted.
async function timed(ask, used) {
  const found = new Float64Array(50_000);
  const end = performance.now() + time / 2;
  let count = 0;
  while (count < found.length) {
    const start = performance.now();
    const answer = await ask();
    const now = performance.now();
    used.length += lengthOf(answer);
    found[count] = (now - start) * 1e6;
    count += 1;
    if (now > end) break;
  }
  used.hits += count;
  return found.subarray(0, count).sort();
}

// So many callers, each of which asks again as soon as it has its token: hits per second.
async function together(ask, used, callers) {
  const start = performance.now();
  const end = start + time;
  let hits = 0;
  let length = 0;
  const caller = async () => {
    do {
      for (let turn = 0; turn < batchOfEach; turn += 1) {
        const answer = await ask();
        length += lengthOf(answer);
        hits += 1;
      }
    } while (performance.now() < end);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const took = performance.now() - start;
  used.hits += hits;
  used.length += length;
  return (hits * 1000) / took;
}

await ready();
const ask = build(kind);
const one = lengthOf(await ask());
// The compiler has its say before anything is measured: on a busy machine, that takes its time.
const warmUp = performance.now() + time / 2;
for (let hits = 0; performance.now() < warmUp || hits < warmUpHits; hits += 1) await ask();

const used = { hits: 0, length: 0 };
const result = { noise: noise(), floor: timerFloor() };
Object.assign(result, await sequential(ask, used));
const calls = await timed(ask, used);
result.p50 = quantile(calls, 0.5);
result.p99 = quantile(calls, 0.99);
result.timed = calls.length;
result[64] = await together(ask, used, 64);
result[1000] = await together(ask, used, 1000);
result.used = used.length === used.hits * one;
result.hits = used.hits;
done(result);
