/** How often a frame is copied between two topics: `deno task test:bridge`. */

import { assert, assertEquals } from "@std/assert";
import type { Carrier } from "../../src/bridge/carrier.ts";
import { Loopback } from "../../src/bridge/loopback.ts";
import { connectNats } from "../../src/bridge/nats.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { bytes, until } from "./carriers.ts";
import { exporting, importing } from "./scene.ts";
import { NatsServer, serverTest } from "./server.ts";

const FRAME = 2 ** 21;
const FRAMES = 4;
const LEAST = 1024; // shorter copies are those of headers

/** Counts the bytes that `set` and `slice` of byte arrays copy, until it is disposed. */
function countCopies(): Disposable & { readonly bytes: number } {
  const { set, slice } = Uint8Array.prototype;
  let sum = 0;
  const count = (length: number) => void (sum += length < LEAST ? 0 : length);
  Uint8Array.prototype.set = function (from: ArrayLike<number>, at?: number) {
    count(from.length);
    set.call(this, from, at);
  };
  Uint8Array.prototype.slice = function (...range) {
    const copy = slice.apply(this, range);
    count(copy.length);
    return copy;
  };
  return {
    get bytes() {
      return sum;
    },
    [Symbol.dispose]() {
      Object.assign(Uint8Array.prototype, { set, slice });
    },
  };
}

/** Sends frames through two bridges; returns how many times as many bytes were copied. */
async function copiesOfFrame(a: Carrier, b: Carrier): Promise<number> {
  using _place = namespace();
  const options = { size: FRAME, depth: 4 };
  using publisher = topic("t", options).publisher();
  using far = topic("far/t", options).subscriber();
  await using _exporter = exporting(a, ["t"]);
  await using _importer = importing(b, ["t"]);
  await until(() => far.peers > 0);
  const frame = bytes(FRAME);
  let copied = 0;
  for (let i = 0; i < FRAMES; i++) {
    using loan = await publisher.loan();
    loan.bytes.set(frame);
    using counted = countCopies();
    loan.publish();
    using sample = (await far.take({ timeout: 60_000 }))!;
    copied += counted.bytes;
    assertEquals([sample.lost, sample.bytes.length], [0, FRAME]);
    assert(sample.bytes.every((byte, i) => byte === frame[i]));
  }
  return copied / FRAMES / FRAME;
}

Deno.test("a bridge copies a frame once: from the message into the sample", async () => {
  const network = new Loopback();
  assertEquals(await copiesOfFrame(network.connect(), network.connect()), 1 + 1); // and the network
});

serverTest(
  "NATS: the client copies a frame once to send it, and at most 1.5 times where reads split it",
  async () => {
    await using server = await NatsServer.start();
    await using a = await connectNats({ servers: server.url });
    await using b = await connectNats({ servers: server.url });
    const copies = await copiesOfFrame(a, b);
    assert(copies >= 2 && copies < 3.6, `${copies}`); // 1 to send, 1 into the sample, 0 to 1.5 in between
  },
);
