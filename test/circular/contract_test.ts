/**
 * The contract of all rings, held against circular buffers.
 */

import { KIND } from "./ring_under_test.ts";
import { testContract } from "../lane/contract.ts";

testContract(new URL("./ring_under_test.ts", import.meta.url), KIND);
