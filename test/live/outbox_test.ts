/** The queue of one client, whatever that client does. */

import { assert, assertEquals } from "@std/assert";
import { Outbox, WINDOW_BYTES } from "../../src/live/outbox.ts";

/** A socket whose client reads only when it is told to. */
class StillSocket {
  readonly readyState = WebSocket.OPEN;
  bufferedAmount = 0;
  readonly frames: (string | Uint8Array)[] = [];
  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.frames.push(frame);
    this.bufferedAmount += frame.length;
  }
}

/** A frame that can be told from others. */
function frame(number: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

const numberOf = (bytes: string | Uint8Array) =>
  new DataView((bytes as Uint8Array<ArrayBuffer>).buffer).getUint32(0);

Deno.test("an outbox sends at once while the client reads", () => {
  const socket = new StillSocket();
  const outbox = new Outbox(socket, 1000);
  for (let i = 0; i < 10; i++) {
    outbox.data(frame(i, 100));
    socket.bufferedAmount = 0;
  }
  assertEquals(socket.frames.map(numberOf), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assertEquals([outbox.facts.sent, outbox.dropped], [10, 0]);
});

Deno.test("an outbox drops the oldest data of a client that stops reading, and counts it", () => {
  const socket = new StillSocket();
  const outbox = new Outbox(socket, 10_000);
  const each = 1000;
  const inSocket = Math.ceil(WINDOW_BYTES / each);
  for (let i = 0; i < inSocket + 100; i++) outbox.data(frame(i, each));
  assertEquals(outbox.facts, {
    sent: inSocket,
    dropped: 90,
    queuedBytes: 10_000,
    unsentBytes: inSocket * each,
  });
  socket.bufferedAmount = 0; // it has read
  outbox.flush();
  assertEquals(
    socket.frames.slice(inSocket).map(numberOf),
    Array.from({ length: 10 }, (_, i) => inSocket + 90 + i),
  );
  assertEquals(outbox.facts.queuedBytes, 0);
});

Deno.test("an outbox replaces a frame by the next one with its key", () => {
  const socket = new StillSocket();
  const outbox = new Outbox(socket, 10_000);
  socket.bufferedAmount = WINDOW_BYTES;
  for (let i = 0; i < 5; i++) outbox.data(`tick ${i}`, "tick");
  outbox.data("value", "value");
  socket.bufferedAmount = 0;
  outbox.flush();
  assertEquals(socket.frames, ["tick 4", "value"]);
  assertEquals(outbox.dropped, 4);
});

Deno.test("an outbox never drops control frames, and says when they are too many", () => {
  const socket = new StillSocket();
  const outbox = new Outbox(socket, 1000);
  socket.bufferedAmount = WINDOW_BYTES;
  assert(outbox.control("a".repeat(200)));
  outbox.data(frame(1, 500));
  assert(outbox.control("b".repeat(200))); // the data makes room
  assertEquals([outbox.dropped, outbox.facts.queuedBytes], [1, 800]);
  assertEquals(outbox.control("c".repeat(200)), false);
  socket.bufferedAmount = 0;
  outbox.flush();
  assertEquals(socket.frames.map((text) => (text as string)[0]), ["a", "b", "c"]);
});

Deno.test("an outbox sends one large frame even if it is larger than the queue", () => {
  const socket = new StillSocket();
  const outbox = new Outbox(socket, 1000);
  outbox.data(frame(7, 5_000_000));
  assertEquals([socket.frames.length, outbox.dropped], [1, 0]);
  outbox.data(frame(8, 5_000_000)); // and no second one behind it
  assertEquals([outbox.facts.queuedBytes, outbox.dropped], [0, 1]);
});
