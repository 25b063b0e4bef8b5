/**
 * Slots and reader/writer locks for `deno bench`: the time of each in one thread, without other
 * users.
 *
 * @module
 */

import { Alone } from "./babus.ts";

const alone = new Alone();
alone.write(); // so that there is something to read
globalThis.addEventListener("unload", () => alone[Symbol.dispose]());

const written = { group: "slot, 64 B written" };
Deno.bench("writeSync 64 B", { ...written, baseline: true }, alone.write);
Deno.bench("claimSync and publish 64 B", written, alone.writeInPlace);
Deno.bench("tryFill 64 B", written, alone.fill);
Deno.bench("writeSync 64 B and listener.look()", written, alone.writeAndLook);

const read = { group: "slot, 64 B read" };
Deno.bench("latest() of 64 B", { ...read, baseline: true }, alone.copy);
Deno.bench("readInto() of 64 B", read, alone.readInto);
Deno.bench("peek() and valid", read, alone.view);

const lock = { group: "RwLock" };
Deno.bench("readSync and release", { ...lock, baseline: true }, alone.read);
Deno.bench("writeSync and release", lock, alone.lockToWrite);
