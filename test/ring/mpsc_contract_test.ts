/**
 * The contract of all rings, held against rings from many producers to one consumer.
 */

import { testContract } from "./contract.ts";
import { KIND } from "./mpsc_kind.ts";

testContract(new URL("./mpsc_kind.ts", import.meta.url), KIND);
