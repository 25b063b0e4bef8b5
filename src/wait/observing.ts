/**
 * The wait of an observer: it may not raise a bell in memory that it can only read, so nobody wakes
 * it. It sleeps on a bell of its own for a short slice, then looks again.
 *
 * @module
 */

import { Mapping } from "../memory/mapping.ts";
import { perIsolate } from "../os/clock.ts";
import { pageSize } from "../os/page.ts";
import { Doorbell } from "./doorbell.ts";

const BELL = { path: "observer.bell", offset: 0 };

/** A bell of this isolate that nobody rings. */
export const silentBell: () => Doorbell = perIsolate(() =>
  new Doorbell(Mapping.anonymous(pageSize(), "observing"), BELL)
);
