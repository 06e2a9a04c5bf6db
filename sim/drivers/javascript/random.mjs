// Random numbers that are the same for the same seed.

/** A stand-in for Math.random: a Weyl sequence of 32 bits, its steps mixed until they look random. */
export function seeded(seed) {
  let state = 0;
  for (const c of String(seed)) {
    state = Math.imul(state ^ c.codePointAt(0), 0x01000193) >>> 0;
  }
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let bits = state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
  };
}
