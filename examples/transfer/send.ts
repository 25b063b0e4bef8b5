/**
 * Compresses a file, and sends it through a ring of bytes.
 *
 *     deno run --allow-ffi --allow-read examples/transfer/send.ts README.md
 *
 * @module
 */

import { transfer } from "./transfer.ts";

using producer = transfer.producer();
using file = await Deno.open(Deno.args[0]!);
await file.readable
  .pipeThrough(new CompressionStream("gzip"))
  .pipeTo(producer.toWritableStream()); // its end closes the ring, an error aborts it
await producer.flush();
console.log("Sent");
