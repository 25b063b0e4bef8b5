/**
 * The cost of a value on its way into a ring and out of it, beside that of bytes: both ends are in
 * one thread. A struct of four f64 is encoded and decoded in place.
 *
 * @module
 */

import { bytes, type Codec, domain, json, spsc, struct, text } from "../mod.ts";

const Tick = struct("tick", { time: "f64", x: "f64", y: "f64", z: "f64" });
const ticks = Array.from({ length: 64 }, (_, i) => ({ time: i, x: i / 2, y: i / 3, z: -i }));
const tickBytes = new Uint8Array(Tick.size);
const name = `bench-codec-${Deno.pid}`;

benchRing("bytes", bytes(), () => tickBytes);
benchRing("struct", Tick, (i) => ticks[i]!);
benchRing("text of 20 characters", text(), () => "twenty characters ok");
benchRing("JSON of 2 numbers", json<object>(), (i) => ({ x: i, y: i }));

function benchRing<I>(
  kind: string,
  type: Codec<unknown, I, unknown>,
  value: (i: number) => I,
): void {
  const ring = spsc(`${name}-${kind.replaceAll(" ", "-")}`, { type });
  const producer = ring.producer();
  const consumer = ring.consumer();
  const target = new Uint8Array(256);
  let next = 0;
  Deno.bench(`trySend and tryReceiveInto, ${kind}`, { group: "send" }, () => {
    producer.trySend(value(next++ & 63));
    consumer.tryReceiveInto(target);
  });
  Deno.bench(`trySend and tryReceive, ${kind}`, { group: "receive" }, () => {
    producer.trySend(value(next++ & 63));
    consumer.tryReceive();
  });
}

const slot = domain(name).open().slot("tick", { type: Tick });
let next = 0;
slot.tryWrite(ticks[0]!);
Deno.bench("slot tryWrite, struct", { group: "slot" }, () => {
  slot.tryWrite(ticks[next++ & 63]!);
});
Deno.bench("slot latest, struct", { group: "slot" }, () => {
  slot.latest();
});
