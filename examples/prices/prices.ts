/**
 * Prices for any number of readers. The writer never waits for them.
 *
 * @module
 */

import { circular, struct, text } from "../../mod.ts";

/** The price of a share. */
const Price = struct("price", { symbol: text(8), cents: "u32" });

/** The last prices: a MiB of them, which every user may watch. */
export const prices = circular("prices", { type: Price, mode: 0o644 });
