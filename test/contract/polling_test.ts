/** Messages are shown, held and delivered again alike in every ring whose receivers take turns. */

import { testPolling } from "./polling.ts";
import { RINGS } from "./products.ts";

for (const ring of RINGS) if (!ring.broadcasts) testPolling(ring);
