/**
 * The workload of calls that may run twice: a call that a server had taken when it died goes to
 * another one.
 *
 * @module
 */

import { callsWorkload, HANDS } from "./calls.ts";

export default callsWorkload(HANDS, true);
