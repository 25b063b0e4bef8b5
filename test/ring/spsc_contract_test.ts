/**
 * The contract of all rings, held against rings from one producer to one consumer.
 */

import { testContract } from "./contract.ts";
import { KIND } from "./spsc_kind.ts";

testContract(new URL("./spsc_kind.ts", import.meta.url), KIND);
