/**
 * The cost of a value on its way into a ring and out of it, beside that of bytes: both ends are in
 * one thread. A struct of four f64 is encoded and decoded in place.
 *
 * @module
 */

import { type Codec, codec, domain, layout, spsc } from "../mod.ts";

const Tick = layout("tick", { time: "f64", x: "f64", y: "f64", z: "f64" });
const TICK = codec.struct(Tick);
const ticks = Array.from({ length: 64 }, (_, i) => ({ time: i, x: i / 2, y: i / 3, z: -i }));
const bytes = new Uint8Array(Tick.size);
const name = `bench-codec-${Deno.pid}`;

benchRing("bytes", codec.bytes, () => bytes);
benchRing("struct", TICK, (i) => ticks[i]!);
benchRing("text of 20 characters", codec.text, () => "twenty characters ok");
benchRing("JSON of 2 numbers", codec.json<object>(), (i) => ({ x: i, y: i }));

function benchRing<T>(kind: string, codec: Codec<T>, value: (i: number) => T): void {
  const ring = spsc(`${name}-${kind.replaceAll(" ", "-")}`, { type: codec });
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

const slot = domain(name).open().slot("tick", { type: TICK });
let next = 0;
slot.tryWrite(ticks[0]!);
Deno.bench("slot tryWrite, struct", { group: "slot" }, () => {
  slot.tryWrite(ticks[next++ & 63]!);
});
Deno.bench("slot latest, struct", { group: "slot" }, () => {
  slot.latest();
});
