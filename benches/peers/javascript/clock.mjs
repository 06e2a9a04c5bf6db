// Moves what this process takes for the date. Timers and performance.now() stay as they are.

const RealDate = Date;

export function shift(seconds) {
  const now = () => RealDate.now() + seconds * 1000;
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      if (given.length === 0) super(now());
      else super(...given);
    }

    static now() {
      return now();
    }
  };
}
