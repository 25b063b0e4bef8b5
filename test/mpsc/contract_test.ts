/**
 * The contract of all rings, held against rings from many producers to one consumer.
 */

import { testContract } from "../lane/contract.ts";
import { KIND } from "./ring_under_test.ts";

testContract(new URL("./ring_under_test.ts", import.meta.url), KIND);
