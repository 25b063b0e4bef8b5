/**
 * Every scenario there is.
 *
 * @module
 */

import type { Scenario } from "../scenario.ts";
import { BABUS } from "./babus.ts";
import { BRIDGES } from "./bridge.ts";
import { BROKEN } from "./broken.ts";
import { BROKEN_WAITS } from "./broken_waits.ts";
import { CIRCULAR } from "./circular.ts";
import { DOORBELL } from "./doorbell.ts";
import { FAN_IN } from "./fan_in.ts";
import { HALLS } from "./hall.ts";
import { HOSTILE } from "./hostile.ts";
import { MPSC } from "./mpsc.ts";
import { QUOTA } from "./quota.ts";
import { REACTOR } from "./reactor.ts";
import { REGION } from "./region.ts";
import { ROLES } from "./roles.ts";
import { CALLS } from "./calls.ts";
import { RW_LOCK_SCENARIOS } from "./rw_lock.ts";
import { SEMAPHORE } from "./semaphore.ts";
import { SERVERS } from "./servers.ts";
import { SPSC } from "./spsc.ts";
import { VDDS } from "./vdds.ts";

/** Every scenario, by a name of its own. */
export const SCENARIOS: readonly Scenario[] = [
  ...BROKEN, // first: an explorer that finds nothing here is of no use
  ...BROKEN_WAITS,
  ...BABUS,
  ...BRIDGES,
  ...CIRCULAR,
  ...DOORBELL,
  ...FAN_IN,
  ...HALLS,
  ...HOSTILE,
  ...MPSC,
  ...QUOTA,
  ...REACTOR,
  ...REGION,
  ...ROLES,
  ...CALLS,
  ...RW_LOCK_SCENARIOS,
  ...SEMAPHORE,
  ...SERVERS,
  ...SPSC,
  ...VDDS,
];
