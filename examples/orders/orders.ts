/**
 * Orders from several programs to one that stores them.
 *
 * @module
 */

import { mpsc, struct, text } from "../../mod.ts";

/** An order. Its key says which one it is, however often it arrives. */
export const Order = struct("order", { key: text(32), item: text(32), cents: "u32" });

/** The orders that wait for the program that stores them; they outlive every program. */
export const orders = mpsc("shop-orders", { type: Order, producers: 6, persist: true });
