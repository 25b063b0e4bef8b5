/**
 * The ring that carries a file from one program to another.
 *
 * @module
 */

import { byteRing } from "../../mod.ts";

/** Compressed bytes on their way. */
export const transfer = byteRing("transfer", { capacity: 65_536 });
