// first.mjs KIND: from nothing to the first token. The runner has the clock.

import { build, lengthOf } from "./credentials.mjs";
import { done } from "./protocol.mjs";

done({ used: lengthOf(await build(process.argv[2])()) > 0 });
