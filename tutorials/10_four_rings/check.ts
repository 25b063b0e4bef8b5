/**
 * What an answer must do: a reader or a writer looks at its work at every moment that
 * matters, and its looks are counted.
 *
 * @module
 */

import { type Check, expect, runChecks } from "../check.ts";
import { makeMemory } from "./ring_memory.ts";

/** A slot as the writer sees it, once it is free. */
export interface Slot {
  /** Whether the reader may have it. */
  isFull: boolean;
  /** Its content. */
  text: string;
}

/** The writer's half of a ring with cached positions. */
export interface Writer {
  /** The writer's own position. */
  readonly head: number;
  readonly capacity: number;
  /** The tail that the writer last saw. */
  tailSeen: number;
  /** Looks at the tail. */
  loadTail(): number;
}

/** The reader's half of a mirrored ring in which there is a message. */
export interface Reader {
  /** Both windows. */
  readonly bytes: Uint8Array;
  /** Where the message begins. */
  readonly place: number;
  /** How long it is. */
  readonly length: number;
  /** Gives everything before this place back to the writer. */
  storeTail(place: number): void;
}

/** An answer: a function from each stage. */
export interface Rings {
  readonly fillSlot: (slot: Slot, text: string) => void;
  readonly free: (head: number, tail: number, capacity: number) => number;
  readonly hasRoom: (writer: Writer, length: number) => boolean;
  readonly readInPlace: (reader: Reader, handler: (message: Uint8Array) => void) => void;
}

/** Checks an answer and prints the results. */
export function checkRings(rings: Rings): void {
  runChecks(import.meta.url, checksOf(rings));
}

/** The checks that an answer must pass. */
export function checksOf(rings: Rings): Check[] {
  return [
    {
      what: "1 slots: whenever the reader looks, a slot is empty or complete",
      check: () => watchSlot(rings),
      hint: "which of the two stores announces that the other one is done?",
    },
    {
      what: "2 positions: the number of free bytes is right",
      check: () => countFree(rings, [[0, 0], [100, 0], [4096, 0], [5000, 4096], [9000, 8000]]),
      hint: "the bytes from tail to head are used, and the rest are free.",
    },
    {
      what: "2 positions: even when the head has wrapped to 0",
      check: () =>
        countFree(rings, [[0, 2 ** 32 - 24], [100, 2 ** 32 - 3000], [4000, 2 ** 32 - 96]]),
      hint: "`>>> 0` after a subtraction gives the remainder by 2^32, which is never negative.",
    },
    {
      what: "3 cached positions: it finds room exactly when there is room",
      check: () => askForRoom(rings, ROOMS),
      hint:
        "the cached tail may show too little room, and never too much. Is `false` ever certain?",
    },
    {
      what: "3 cached positions: even when the head has wrapped to 0",
      check: () => askForRoom(rings, ROOMS_ACROSS_THE_WRAP),
      hint: "the head is behind the tail then. What makes the difference right in stage 2?",
    },
    {
      what: "3 cached positions: it loads the tail only if the cached one leaves too little room",
      check: () => countLooks(rings),
      hint: "compute with the cached tailSeen first.",
    },
    {
      what: "2 and 3: at any positions, as often as they have wrapped",
      check: () => tryAnywhere(rings),
      hint: "the distance of two positions is `(head - tail) >>> 0`, and at most the capacity.",
    },
    {
      what: "4 mirrored: the handler sees the message in place, and no copy",
      check: () => watchPlace(rings),
      hint: "`subarray` shows the bytes where they are; `slice` copies them.",
    },
    {
      what: "4 mirrored: the message does not change while the handler reads it",
      check: () => watchMessage(rings),
      hint: "once you store the tail, the writer writes there.",
    },
  ];
}

function watchSlot({ fillSlot }: Rings): void {
  let [isFull, text] = [false, "what was here before"];
  const lookIn = () => {
    expect(!isFull || text === "a new message", `The reader finds a full slot with "${text}".`);
  };
  fillSlot({
    get isFull() {
      return isFull;
    },
    set isFull(value) {
      isFull = value;
      lookIn();
    },
    get text() {
      return text;
    },
    set text(value) {
      expect(!isFull, "You write into a slot that is the reader's.");
      text = value;
      lookIn();
    },
  }, "a new message");
  expect(isFull, "At the end the slot is not full.");
}

function countFree({ free }: Rings, positions: readonly (readonly [number, number])[]): void {
  for (const [head, tail] of positions) {
    const used = Number(BigInt.asUintN(32, BigInt(head - tail)));
    const counted = free(head, tail, 4096);
    expect(
      counted === 4096 - used,
      `head ${head}, tail ${tail}: ${used} of 4096 bytes are used, and so ${
        4096 - used
      } are free.\n` +
        `You say ${counted}.`,
    );
  }
}

/** A writer, and what happens to the tail. */
class Scene implements Writer {
  readonly head: number;
  readonly capacity = 4096;
  looks = 0;
  tailSeen: number;
  readonly #tail: number;

  constructor(head: number, tailSeen: number, tail: number) {
    this.head = head;
    this.tailSeen = tailSeen;
    this.#tail = tail;
  }

  loadTail(): number {
    this.looks++;
    return this.#tail;
  }

  get told(): string {
    return `head ${this.head}, tail seen ${this.tailSeen}, tail ${this.#tail}, capacity 4096`;
  }
}

/** A scene, a length, whether there is room for it, and whether the writer must look to know. */
type Room = readonly [
  positions: readonly [head: number, tailSeen: number, tail: number],
  length: number,
  room: boolean,
  mustLook: boolean,
];

const ROOMS = [
  [[0, 0, 0], 4096, true, false],
  [[100, 0, 0], 3996, true, false],
  [[100, 0, 0], 3997, false, true],
  [[4096, 0, 0], 1, false, true],
  [[4096, 0, 50], 50, true, true],
  [[4096, 0, 50], 51, false, true],
  [[9000, 8000, 9000], 3000, true, false],
  [[9000, 8000, 9000], 4000, true, true],
] as const satisfies readonly Room[];

const WRAP = 2 ** 32;

/** Cases in which the tail, or the cached one, is still below the wrap. */
const ROOMS_ACROSS_THE_WRAP = [
  [[0, WRAP - 4096, WRAP - 4096], 1, false, true],
  [[0, WRAP - 24, WRAP - 24], 4072, true, false],
  [[0, WRAP - 24, WRAP - 24], 4073, false, true],
  [[4000, WRAP - 96, WRAP - 50], 46, true, true],
  [[4000, WRAP - 96, WRAP - 50], 47, false, true],
  [[4000, WRAP - 96, 100], 196, true, true],
  [[WRAP - 8, WRAP - 4104, WRAP - 4000], 104, true, true],
] as const satisfies readonly Room[];

function askForRoom({ hasRoom }: Rings, rooms: readonly Room[]): void {
  for (const [[head, tailSeen, tail], length, room] of rooms) {
    const scene = new Scene(head, tailSeen, tail);
    const told = `${scene.told}: is there room for ${length}?`;
    const said = hasRoom(scene, length);
    expect(said === room, `${told}\nYou say ${said}.`);
    if (scene.looks === 0) continue;
    expect(scene.tailSeen === tail, `${told}\nYou look, and do not remember what you saw.`);
  }
}

function countLooks({ hasRoom }: Rings): void {
  for (
    const [[head, tailSeen, tail], length, _, mustLook] of [...ROOMS, ...ROOMS_ACROSS_THE_WRAP]
  ) {
    const scene = new Scene(head, tailSeen, tail);
    const told = `${scene.told}: is there room for ${length}?`;
    hasRoom(scene, length);
    const most = Number(mustLook);
    expect(scene.looks <= most, `${told}\nYou look ${scene.looks} times, and need ${most}.`);
  }
}

/** Positions all over the 32 bits, chosen by a fixed rule, so that a failure can be repeated. */
function tryAnywhere({ free, hasRoom }: Rings): void {
  let seed = 7;
  const below = (limit: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor(seed / WRAP * limit);
  };
  for (let i = 0; i < 2000; i++) {
    const head = i % 3 === 0 ? below(5000) : i % 3 === 1 ? WRAP - 1 - below(5000) : below(WRAP);
    const seen = below(4097);
    const used = below(seen + 1);
    const [tailSeen, tail] = [(head - seen) >>> 0, (head - used) >>> 0];
    const counted = free(head, tail, 4096);
    expect(
      counted === 4096 - used,
      `head ${head}, tail ${tail}: ${4096 - used} bytes are free. You say ${counted}.`,
    );
    const scene = new Scene(head, tailSeen, tail);
    const length = below(4097);
    const said = hasRoom(scene, length);
    const room = length <= 4096 - used;
    expect(said === room, `${scene.told}: is there room for ${length}?\nYou say ${said}.`);
  }
}

function watchPlace({ readInPlace }: Rings): void {
  const windows = makeMemory().bytes;
  let shown: Uint8Array | undefined;
  const reader = { bytes: windows, place: 64, length: 20, storeTail: () => {} };
  readInPlace(reader, (message) => {
    shown = message;
  });
  expect(shown !== undefined, "The handler was never called.");
  expect(
    shown.buffer === windows.buffer && shown.byteOffset === windows.byteOffset + 64,
    "The handler sees a copy of the message. A mirror makes that needless: the message is in one\n" +
      "piece where it is.",
  );
}

function watchMessage({ readInPlace }: Rings): void {
  const { bytes, data, capacity } = makeMemory();
  const windows = bytes.subarray(data);
  const message = new TextEncoder().encode("a message across the seam");
  const place = capacity - 10;
  windows.set(message, place);
  let [seen, given] = ["", false];
  const reader = {
    bytes: windows,
    place,
    length: message.length,
    storeTail: (to: number) => {
      given = true;
      windows.fill("#".charCodeAt(0), place, to); // the writer has waited only for this
    },
  };
  readInPlace(reader, (shown) => {
    seen = new TextDecoder().decode(shown);
  });
  const expected = new TextDecoder().decode(message);
  expect(seen === expected, `The handler should see "${expected}", and sees "${seen}".`);
  const after = new TextDecoder().decode(windows.subarray(place, place + message.length));
  expect(given && after === "#".repeat(message.length), "You do not release all of the room.");
}
