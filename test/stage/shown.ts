/**
 * What must be on the screen when a chapter is told: lines of code with their results, and rows of
 * tables. An answer in the story is prose; these come from the library and from the kernel.
 */

import type { Frame, Shown } from "../../tutorials/stage/story.ts";

/** Lines that each chapter must show, in this order. */
export const SHOWN: Readonly<Record<number, readonly string[]>> = {
  0: ["byte[0] → 1", "byte[0] → 65", "byte[0] → 43", "we stored 42, and waited 42"],
  1: [
    "bytes[bytes.length] → undefined",
    "canBeRead(last) → true",
    "canBeRead(last + 1) → false",
  ],
  2: [
    "crossed = pass(made, 500) → 18",
    "0x40002000 0x00003000, a synonym",
    "0x40100000 0x00300000, a synonym",
  ],
  3: ["allocate(fd, 0, limit + page) → -28, which is ENOSPC"],
  5: [
    "second - first === capacity → true",
    'textOf(bytes.subarray(at, at + message.length)) → "a message across the seam"',
  ],
  6: [
    'text(expand(stream).bytes) → "aaaaaaaaaa"',
    "lastOf(ring) === lastOf(masked) → true",
    "masked 178 323 18",
    "mirror 160 0 0",
    'JSON.parse(text(ring.peek())) → { name: "Zoë", coins: 42 }',
  ],
  7: [
    "isRunning(desk.pid) → false",
    "isRunning(desk.pid) → true",
    "hasBeaten(1000) → true",
    "hasBeaten(200) → false",
    "setLock(other, Lock.write, 0) → -11, which is EAGAIN",
    "OFDLCK WRITE 0 to 0",
    "setLock(fd, Lock.write, 0) → 0",
  ],
  8: [
    "permit = mine.tryLock() → { recovered: false }",
    "permit = mine.lockSync() → { recovered: true }",
  ],
  9: [
    "2 takes the number: 1 becomes 0 held 0",
    "6 drops the record lock free 1",
    "permit = door.lockSync() → { recovered: true }",
    "4 0 true 170",
    "3 0 true 200",
    "2 1 false 200",
    "6 1 false 200",
    "lock(name).unlink() → true",
    "permit = door.lockSync() → { recovered: false }",
    "left = bank.ann → 70",
    "tryWait(semaphore) → -11, which is EAGAIN",
    "tryWait(semaphore) → 0",
  ],
  11: [
    'result = allOrders(one, other) → Found { states: 143, wrong: "neither saw the other" }',
    "both = allOrders(oneExchanges, otherExchanges) → Found { states: 17, wrong: undefined }",
    "inOrder = allOrders(sendPlainly, receive, 0) → Found { states: 13, wrong: undefined }",
    "result = allOrders(send, receive) → Found { states: 58, wrong: undefined }",
    "result = allOrders(overwrite, copyThenLookLast) → Found { states: 258, wrong: undefined }",
    "announce what you wrote a plain store: wrong a release: right",
    "see it announced, then read a plain load: wrong an acquire: right",
    "store, then look elsewhere a release: wrong an exchange: right",
    "copy, then look again an acquire: wrong a barrier first: right",
  ],
  12: ["taken 128 2 the reader", "words[Ring.head] - before → 0"],
  14: [
    "everyOrder(twoReaders, firstState(twoReaders)) → 7180",
    "statesOf(twoReaders).length → 272",
    "verdictOf(mortal, 1).moves → 10",
    "explore(mortal.parties).lost?.length → 10",
  ],
  15: ["reader.lost → 8", "read + reader.lost → 10000"],
  16: [
    "Math.round(ADDRESSES / SPEED / 3600) → 39",
    "[...stale] → [ 0, 0, 0, 0 ]",
    "after our leap 1, 2 0, 1",
  ],
  17: [
    "every lane 38000 0",
    "by hints 2000 2000",
    "lanes.readFirst(target) → 3",
    'errorOf(() => ring.producer({ id: 0 })) → "RoleTakenError"',
    'received?.value → "thirty coins"',
  ],
  18: [
    "takes 0 from AVAIL",
    "count of 0: 0",
    "puts 0 into AVAIL",
    "1 21.6 C none 2 ready 2",
    "word of reader 1: none 2",
    "too late: held 2",
    "word for place 0: ready 1 → none",
    "takes 0 from USED 1",
    "word for place 0: ready 1 → none",
    "word for place 0: held 1 → none",
    "finds AVAIL empty",
    "words of place 0: none 1, none 1",
    "word for place 1: ready 4, not ready 2",
    'second.seen → [ "21.5 C", "21.7 C", "21.8 C" ]',
    "journal 1, sequence 0",
    "reader 0 had it: none 1",
    "word for reader 1: ready 1",
    "[first.seen, second.seen] → [ [], [] ]",
  ],
  19: [
    "subscriber.peers → 0",
    "subscriber.peers → 1",
    "frames.info().counters.published → 3",
    'textOf(bytes).slice(0, 7) → "FRAme 1"',
    'messageOf(() => subscriber.receiveSync({ timeout: 100 })) → "TimeoutError"',
    'messageOf(() => frames.publisher()) → "RoleTakenError"',
    'messageOf(() => subscriber.receiveSync()) → "PeerLostError"',
    "publisher.sequence → 3",
    "6 true",
    "7 false",
    "frame 98 98 97",
    "publisher.counters.inFlight → 3",
    'publisher.trySend(bytesOf("the next")) → false',
    "publisher.counters.inFlight → 0",
    'textOf(late.tryReceive()) → "frame 2"',
  ],
  20: [
    "3 10 10 0",
    "4 10 0 10",
    "3 10 10 0",
    "4 0 0 0",
    "33 10 0 10",
    "-11, which is EAGAIN 1000",
    "1 1 1 2",
    "2 0 0 0",
    'news → [ "quiet" ]',
    "31 busy ones 3100 0",
    "the quiet one 1 1",
    "the topic a frame",
    "the listener news in speed",
    "the ring an order",
  ],
  21: [
    'speed.since(2).map(({ value, lost }) => [value, lost]) → [ [ "speed is 5", 2 ], [ "speed is 6", 0 ], [ "speed is 7", 0 ] ]',
    "0 8 speed is 8··",
    "peek.valid → true",
    'textOf(peek.bytes) → "speed is 1"',
    "peek.valid → false",
    "1 0 SPEED is 9··",
    'speed.tryWrite("speed is 9000") → undefined',
    'speed.writeSync("speed is thirteen") → 13',
    'right.latest().value → "fast"',
    'observer.latest().value → "speed is thirteen"',
  ],
  22: [
    'client.callSync("eleven", { timeout: 5000 }) → "6 letters"',
    '`${error.name}: ${error.message}` → "RemoteError: an empty word"',
    "slow TimeoutError",
    "twelve 6 letters",
    "given up, as the clerk saw 1",
    "endless PeerLostError",
    "client.peers → 0",
    "late TimeoutError",
    "again 5 letters",
    'late.message.split("; ")[1] → "the request will not run"',
    "notes.runs - before → 2",
  ],
  23: [
    "frame 3 0 near 3",
    "frame 14 10 near 14",
    "published here 4",
    "lost inside it 10",
    "frame 19 4 near 19",
    "published here 5",
    "lost inside it 10",
    "lost on the wire 4",
    "there + lost.before + lost.inside + lost.wire + lost.here → 19",
    "published(scene) → 19",
    "frame 29 0 near 29",
    "published here 10",
    "frame 34 0 near 34",
  ],
  24: [
    "ring.trySend(messageOf(next)) → true",
    "result = withHeir() → Tried { states: 934, wrong: undefined }",
    "message = ring.tryReceive() → 24 bytes",
  ],
};

function lines(shown: Shown): string[] {
  if (shown.kind === "code") return [`${shown.source} → ${shown.result}`];
  const { picture } = shown;
  if (picture.kind === "table") return picture.rows.map((row) => row.join(" "));
  if (picture.kind !== "tracks") return [];
  return [...picture.rows.map(({ text }) => text), picture.end ?? ""];
}

/** The first line that is missing; undefined if all are there. */
export function missing(chapter: number, frames: readonly Frame[]): string | undefined {
  const all = frames.flatMap(({ shown }) => shown.flatMap(lines));
  let at = 0;
  return SHOWN[chapter]?.find((wanted) => {
    const found = all.indexOf(wanted, at);
    at = found + 1;
    return found === -1;
  });
}
