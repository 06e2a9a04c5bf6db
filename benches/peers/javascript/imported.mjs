// The library is loaded, and nothing else.

import { kinds } from "./credentials.mjs";
import { done } from "./protocol.mjs";

done({ used: Object.keys(kinds).length > 0 });
