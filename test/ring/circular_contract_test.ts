/**
 * The contract of all rings, held against circular buffers.
 */

import { KIND } from "./circular_kind.ts";
import { testContract } from "./contract.ts";

testContract(new URL("./circular_kind.ts", import.meta.url), KIND);
