/**
 * Slots whose memory comes with their messages, in a small /dev/shm.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { processTests } from "../shared/processes.ts";
import type { Tools } from "./babus_child.ts";

const { mountTest, startProcess } = processTests<Tools>(
  new URL("./babus_child.ts", import.meta.url),
  "slots",
);

mountTest("writing a message throws when memory runs out, and the slot keeps working", async () => {
  await using party = startProcess({ shmBytes: 2 ** 20 });
  const [refused, message, ...numbers] = await party.run(({ Domain, isPayload, payload }) => {
    using domain = Domain.open("full");
    const [slot, other] = [
      domain.slot("slot", { depth: 2, maxSize: 2 ** 19 }),
      domain.slot("slot"),
    ];
    const write = (length: number) => slot.writeSync(payload(slot.sequence + 1, length));
    for (let i = 0; i < 4; i++) write(100); // has given every entry a page
    Deno.writeFileSync("/dev/shm/filler", new Uint8Array(2 ** 20 - 2 ** 17));
    const errors = [() => write(2 ** 19), () => slot.claimSync(2 ** 19)].map((act) => {
      try {
        return `wrote ${act()}`;
      } catch (error) {
        return `${error}`;
      }
    });
    const numbers = [slot.sequence, write(4000), other.writeSync(payload(6, 100)) as number];
    const whole = slot.since(4).messages.every(({ sequence, value }) => isPayload(value, sequence));
    Deno.removeSync("/dev/shm/filler");
    return [errors[0] === errors[1], errors[0], ...numbers, write(2 ** 19), whole];
  }, null);
  assertEquals([refused, ...numbers], [true, 4, 5, 6, 7, true], `${message}`);
  assertStringIncludes(`${message}`, 'OsError: Cannot give slot "full/slot" more memory');
  assertStringIncludes(`${message}`, "ENOSPC");
});
