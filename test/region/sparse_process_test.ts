/**
 * Regions that allocate memory when it is needed, while /dev/shm is full: samples of topics, and
 * messages of slots.
 */

import { assertEquals, assertMatch } from "@std/assert";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import type { Shortage, Tools } from "./sparse_child.ts";

const { test, mountTest, startProcess } = processTests<Tools>(
  new URL("./sparse_child.ts", import.meta.url),
  "regions without memory",
);

const WAYS = {
  full: { where: "in a full /dev/shm", register: mountTest, options: { shmBytes: 2 ** 21 } },
  refused: { where: "as the call fails", register: test, options: { trapped: true } },
} as const;

const SMALL = 3000;
const LARGE = 200_000;

for (const shortage of ["full", "refused"] satisfies Shortage[]) {
  const { where, register, options } = WAYS[shortage];

  register(`a ring whose file has holes is not joined ${where}`, async () => {
    using name = new Name();
    await using party = startProcess({ ...options, argument: shortage });
    const seen = await party.run(({ spsc, errorOf, withoutMemory }, { name, path }) => {
      const ring = spsc(name, { persist: true, capacity: 2 ** 18 });
      ring.producer().close();
      const { size } = Deno.statSync(path);
      Deno.truncateSync(path, 2 ** 14);
      Deno.truncateSync(path, size);
      const error = withoutMemory(() => errorOf(() => ring.producer()));
      using producer = ring.producer();
      const message = new Uint8Array(2 ** 17);
      return {
        error,
        sent: producer.trySend(message),
        whole: Deno.statSync(path).blocks! * 512 === size,
      };
    }, { name: name.name, path: name.path("spsc") });
    const clear = /^OsError: Cannot open ring .*: .* free and .* needed \(fallocate: ENOSPC\)/;
    assertMatch(seen.error, clear);
    assertEquals([seen.sent, seen.whole], [true, true]);
  });

  register(
    `a topic has no memory for a larger sample, ${where}, and keeps working with others`,
    async () => {
      using name = new Name();
      await using party = startProcess({ ...options, argument: shortage });
      const { depth, ...seen } = await party.run((tools, { name, path, small, large }) => {
        const { errorOf, isPayload, payload, taken, topic, withoutMemory } = tools;
        const depth = 3;
        const samples = topic(name, { depth, size: large, reserve: false });
        using publisher = samples.publisher();
        using subscriber = samples.subscriber();
        const arrives = (length: number) => {
          const message = subscriber.tryReceive();
          return message?.value.length === length && message.lost === 0 &&
            isPayload(message.value, message.sequence);
        };
        const send = (length: number) => publisher.trySend(payload(publisher.sequence + 1, length));
        const first = send(small) && arrives(small);
        const before = taken(path);
        const short = withoutMemory(() => {
          const errors = [
            errorOf(() => send(large)),
            errorOf(() => publisher.sendSync(payload(2, large))),
            errorOf(() => publisher.tryLoan()),
            errorOf(() => publisher.loanSync({ length: large })),
          ];
          const meanwhile = Array.from({ length: 2 * depth }, () => send(small) && arrives(small));
          send(small); // takes the only one that has memory
          const unread = errorOf(() => send(small));
          return { errors, meanwhile, unread, rest: [arrives(small), send(small), arrives(small)] };
        });
        const after = taken(path);
        // All of it can be used once there is memory again, at the same time.
        const sent = Array.from({ length: depth }, () => send(large));
        const isFull = publisher.tryLoan() === undefined;
        const received = Array.from({ length: depth }, () => arrives(large));
        const { published, dropped, inFlight } = publisher.counters;
        const counters = { published, dropped, inFlight };
        return { depth, first, before, short, after, sent, isFull, received, counters };
      }, { name: name.name, path: name.path("topic"), small: SMALL, large: LARGE });
      const { errors, unread, meanwhile, rest } = seen.short;
      const clear = new RegExp(
        `^OsError: Cannot give topic "${name.name}" more memory: /dev/shm has .* free and .* are ` +
          "needed \\(fallocate: ENOSPC\\); ask for less or enlarge /dev/shm",
      );
      for (const error of [...errors, unread]) assertMatch(error, clear);
      assertEquals(meanwhile, Array(2 * depth).fill(true));
      assertEquals(rest, [true, true, true]);
      assertEquals(seen.after, seen.before);
      assertEquals([seen.first, seen.isFull], [true, true]);
      assertEquals([seen.sent, seen.received], [Array(depth).fill(true), Array(depth).fill(true)]);
      assertEquals(seen.counters, { published: 2 + 3 * depth + 1, dropped: 0, inFlight: 0 });
    },
  );

  register(
    `a slot has no memory for a larger message, ${where}, and keeps working with others`,
    async () => {
      using name = new Name();
      await using party = startProcess({ ...options, argument: shortage });
      const seen = await party.run((tools, { name, small, large }) => {
        const { domain, errorOf, isPayload, payload, withoutMemory } = tools;
        using handle = domain(name, { slot: { depth: 2, size: large } }).open();
        const { slot } = handle.slots;
        const write = (length: number) => slot.writeSync(payload(slot.sequence + 1, length));
        const whole = () =>
          [0, 1].map((age) => {
            const { sequence, value } = slot.at(slot.sequence - age)!;
            return isPayload(value, sequence) ? `${sequence}: ${value.length}` : "torn";
          });
        for (let i = 0; i < 10; i++) write(small); // every place has as much memory
        const short = withoutMemory(() => ({
          errors: [
            errorOf(() => write(large)),
            errorOf(() => slot.tryWrite(payload(11, large))),
            errorOf(() => slot.tryClaim()),
          ],
          kept: whole(),
          next: [write(small), write(small)],
        }));
        return { short, last: write(large), whole: whole() };
      }, { name: name.name, small: SMALL, large: LARGE });
      for (const error of seen.short.errors) {
        assertMatch(
          error,
          /^OsError: Cannot give .*slot.* more memory: .* \(fallocate: ENOSPC\); ask for less/,
        );
      }
      assertEquals(seen.short.kept, [`10: ${SMALL}`, `9: ${SMALL}`]);
      assertEquals([seen.short.next, seen.last], [[11, 12], 13]);
      assertEquals(seen.whole, [`13: ${LARGE}`, `12: ${SMALL}`]);
    },
  );
}
