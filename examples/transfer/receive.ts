/**
 * Writes what another program sends into a file. The file has its name only once it is complete: if
 * the sender is killed half-way, the stream fails, and only a `.part` is left.
 *
 *     deno run --allow-ffi --allow-read --allow-write examples/transfer/receive.ts copy.gz
 *
 * @module
 */

import { transfer } from "./transfer.ts";

const path = Deno.args[0]!;
using consumer = transfer.consumer();
await Deno.writeFile(`${path}.part`, consumer.toReadableStream());
await Deno.rename(`${path}.part`, path);
console.log(`${path} is complete`);
