/**
 * A process that uses your ring and is killed before one of its operations.
 *
 * @module
 */

import type { Part } from "./kills.ts";
import type { RingWork } from "./memory.ts";
import { messageOf, numberOf, openRing, RealMemory, SIZE } from "./real.ts";

const part: Part = JSON.parse(Deno.args[0]!);
const { mapRing, Ring }: RingWork = await import(part.file);

let operations = 0;
const before = () => {
  if (++operations === part.killAt) Deno.kill(Deno.pid, "SIGKILL");
};

const { size = SIZE } = part;
const options = part.killAt === 0 ? { size } : { size, before };
using memory = new RealMemory(mapRing!, openRing(part.pid, part.fd), options);
const ring = new Ring!(memory);
if (part.role === "flood") {
  const message = messageOf(part.from, size);
  for (;;) while (!ring.trySend(message));
}
const encoder = new TextEncoder();
for (let i = 0; i < part.messages; i++) {
  if (part.role === "produce") {
    while (!ring.trySend(messageOf(part.from + i, size)));
    continue;
  }
  const message = ring.tryReceive();
  if (message === undefined) break;
  Deno.stdout.writeSync(encoder.encode(`${numberOf(message) ?? -1}\n`));
}
