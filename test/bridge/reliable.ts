/** Topics over a network that keeps their samples: `deno task test:bridge`. */

import { assert, assertEquals } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import type { Carrier } from "../../src/bridge/carrier.ts";
import { Loopback } from "../../src/bridge/loopback.ts";
import { connectNats } from "../../src/bridge/nats.ts";
import { namespace } from "../../src/testing/namespace.ts";
import type { Publisher } from "../../src/vdds/publisher.ts";
import { topic } from "../../src/vdds/definition.ts";
import { bytes, until } from "./carriers.ts";
import { exporting, importing } from "./scene.ts";
import { NatsServer, serverTest } from "./server.ts";

/** Defines a test over both carriers. */
function bothTest(
  name: string,
  run: (connect: () => Promise<Carrier>) => Promise<void>,
): void {
  Deno.test(`loopback: ${name}`, async () => {
    using _place = namespace();
    const network = new Loopback();
    await run(() => Promise.resolve(network.connect()));
  });
  serverTest(`NATS: ${name}`, async () => {
    using _place = namespace();
    await using server = await NatsServer.start();
    await using all = new AsyncDisposableStack();
    await run(async () => all.use(await connectNats({ servers: server.url })));
  });
}

const RELIABLE = { reliable: true, chunkBytes: 100_000 };
const LIST = ["t"];

bothTest("samples wait for a far bridge that is away, and lose nothing", async (connect) => {
  const options = { size: 300_000, depth: 4, persist: true };
  const [a, b] = [await connect(), await connect()];
  using publisher = topic("t", options).publisher();
  using far = topic("far/t", options).subscriber();
  {
    await using importer = importing(b, LIST, RELIABLE);
    await importer.ready;
    await using exporter = exporting(a, LIST, RELIABLE);
    await publisher.waitForPeers(1);
    await publisher.send(bytes(1));
    assertEquals((await far.receive({ timeout: 60_000 }))!.value.length, 1);
    void exporter;
  }
  await using exporter = exporting(a, LIST, RELIABLE);
  await publisher.waitForPeers(1);
  for (let i = 2; i <= 60; i++) await publisher.send(bytes(i % 10 === 0 ? 250_000 : i));
  await until(() => exporter.bridge.report.exports[0]!.sent >= 59);
  await using importer = importing(await connect(), LIST, RELIABLE);
  for (let i = 2; i <= 60; i++) {
    const { value, lost, origin } = (await far.receive({ timeout: 60_000 }))!;
    assertEquals([value.length, lost], [i % 10 === 0 ? 250_000 : i, 0]);
    assertEquals(origin!.sequence, i);
  }
  const { published, lost } = importer.bridge.report.imports[0]!;
  assertEquals([published, lost], [59, { before: 0, inside: 0, wire: 0, here: 0 }]);
});

/** A carrier whose network refuses every third message at first, and notes what it keeps. */
function refusing(carrier: Carrier, kept: string[]): Carrier {
  const refused = new Set<string>();
  const { keep } = carrier;
  carrier.keep = async (options) => {
    const inner = await keep!.call(carrier, options);
    return {
      async publish(message, id) {
        if (refused.size * 3 <= kept.length && !refused.has(id)) {
          refused.add(id);
          throw new Error("full");
        }
        kept.push(message.headers.get("Vring-Samples")!.split(" ")[1]!);
        await inner.publish(message, id);
      },
      consume: inner.consume.bind(inner),
      last: inner.last.bind(inner),
    };
  };
  return carrier;
}

bothTest("messages that the network refuses at first arrive in their order", async (connect) => {
  const options = { size: 20_000, depth: 32 };
  const kept: string[] = [];
  using publisher = topic("t", options).publisher();
  using far = topic("far/t", options).subscriber();
  await using importer = importing(await connect(), LIST, RELIABLE);
  await importer.ready;
  await using _exporter = exporting(refusing(await connect(), kept), LIST, RELIABLE);
  await publisher.waitForPeers(1);
  const sending = (async () => {
    for (let i = 1; i <= 60; i++) await publisher.send(new Uint8Array(19_000 + i));
  })();
  for (let i = 1; i <= 60; i++) {
    const { value, lost, origin } = (await far.receive({ timeout: 60_000 }))!;
    assertEquals([value.length, lost, origin!.sequence], [19_000 + i, 0, i]);
  }
  await sending;
  const numbers = kept.map(Number);
  assert(numbers.some((number, i) => number < numbers[i - 1]!), "some were kept out of order");
});

bothTest(
  "a slow subscriber at the far side holds up the publisher, under block",
  async (connect) => {
    const options = { size: 100_000, depth: 2 };
    const [a, b] = [await connect(), await connect()];
    using publisher = topic("t", options).publisher();
    using far = topic("far/t", options).subscriber();
    await using importer = importing(b, LIST, { ...RELIABLE, keptMax: 2 ** 21 });
    await importer.ready;
    await using _exporter = exporting(a, LIST, { ...RELIABLE, keptMax: 2 ** 21 });
    await publisher.waitForPeers(1);
    const { done, progress } = sendMany(publisher, 40);
    if (a.what.startsWith("NATS")) {
      let before;
      do {
        before = progress.sent;
        await new Promise((resolve) => setTimeout(resolve, 200));
      } while (before === 0 || before !== progress.sent);
      assert(before < 40, "the stream holds 2 MiB, and the publisher waits");
    }
    for (let i = 0; i < 40; i++) {
      assertEquals((await far.receive({ timeout: 60_000 }))!.lost, 0);
    }
    await done;
  },
);

/** Sends so many samples of 100,000 bytes. */
function sendMany(publisher: Publisher, count: number) {
  const progress = { sent: 0 };
  const sending = async () => {
    for (; progress.sent < count; progress.sent++) await publisher.send(new Uint8Array(100_000));
  };
  return { done: sending(), progress };
}

bothTest("what the far side refuses is published once it is accepted", async (connect) => {
  using publisher = topic("t", { type: "f64" }).publisher();
  const holder = topic("far/t", { type: "u32" }).subscriber();
  await using importer = importing(await connect(), LIST, RELIABLE);
  await importer.ready;
  await using exporter = exporting(await connect(), LIST, RELIABLE);
  await publisher.waitForPeers(1);
  for (let i = 1; i <= 5; i++) publisher.trySend(i);
  await until(() => exporter.bridge.report.exports[0]!.sent === 5);
  await until(() => importer.problems.length > 0);
  holder.close();
  using far = topic("far/t", { type: "f64" }).subscriber();
  for (let i = 1; i <= 5; i++) {
    assertEquals((await far.receive({ timeout: 60_000 }))!.value, i);
  }
});

bothTest("a bridge that starts later gets the last values of slots", async (connect) => {
  using robot = domain("robot", { speed: { type: "f64", depth: 4 } }).open();
  {
    await using exporter = exporting(await connect(), ["slot:robot/*"], RELIABLE);
    for (let i = 1; i <= 5; i++) {
      robot.slots.speed.writeSync(i);
      await until(() => exporter.bridge.report.exports[0]?.sent === i);
    }
  }
  const nameOf = (name: string) => `far-${name}`;
  await using _importer = importing(await connect(), ["slot:**"], {
    ...RELIABLE,
    nameOf,
    slotHistory: 8,
  });
  using far = domain("far-robot", { speed: { type: "f64", depth: 4 } }).open();
  await until(() => far.slots.speed.latest()?.value === 5);
  assertEquals(far.slots.speed.since(0).map(({ value }) => value), [2, 3, 4, 5]);
});

serverTest("NATS: a server without JetStream is refused with its remedy", async () => {
  await using server = await NatsServer.start("", { jetstream: false });
  await using carrier = await connectNats({ servers: server.url });
  const bridge = importing(carrier, LIST, RELIABLE);
  const message = await bridge[Symbol.asyncDispose]().then(() => "", (error) => error.message);
  assert(/start it with JetStream \(nats-server -js\)/.test(message), message);
});
