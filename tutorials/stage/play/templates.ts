/**
 * The structures that a reader begins with: each has one mistake.
 *
 * @module
 */

/** A structure to mend. */
export interface Template {
  readonly id: string;
  readonly title: string;
  readonly source: string;
}

const FLAG = `import { copyIn, copyOut, type Memory, Word32 } from "vring";

/** One message, and a flag that says that it is there. */
class Mailbox {
  readonly memory: Memory;
  readonly full: Word32;

  constructor(memory: Memory) {
    this.memory = memory;
    this.full = new Word32(memory, { path: "full", offset: 0 });
  }

  put(message: Uint8Array): void {
    this.full.store(1); // is this the right moment?
    copyIn(this.memory, 64, message);
  }

  take(): Uint8Array | undefined {
    if (this.full.load() === 0) return undefined;
    const message = new Uint8Array(8);
    copyOut(this.memory, 64, message);
    return message;
  }
}

const MESSAGE = Uint8Array.of(11, 12, 13, 14, 15, 16, 17, 18);

export const parties = {
  writer: (memory: Memory) => new Mailbox(memory).put(MESSAGE),
  reader: (memory: Memory) => new Mailbox(memory).take()?.join(),
};

/** Says what is wrong with the end of a run. */
export function check({ reader }: { reader?: string }): string | undefined {
  if (reader === undefined || reader === MESSAGE.join()) return undefined;
  return \`the reader took \${reader}\`;
}
`;

const LOCK = `import { type Memory, wait, wake, Word32 } from "vring";

/** A lock for one party at a time. */
class Lock {
  readonly held: Word32;

  constructor(memory: Memory) {
    this.held = new Word32(memory, { path: "held", offset: 0 });
  }

  acquire(): void {
    while (this.held.load() === 1) wait(this.held, 1);
    this.held.store(1); // what may have happened since the load?
  }

  release(): void {
    this.held.store(0);
    wake(this.held);
  }
}

/** Adds 1 to a counter, in two steps, and so needs the lock. */
function increment(memory: Memory): number {
  const lock = new Lock(memory);
  const counter = new Word32(memory, { path: "counter", offset: 64 });
  lock.acquire();
  const before = counter.load();
  counter.store(before + 1);
  lock.release();
  return before;
}

export const parties = { left: increment, right: increment };

/** Says what is wrong with the end of a run. */
export function check(results: { left?: number; right?: number }): string | undefined {
  const { left, right } = results;
  return left === right ? \`both counted from \${left}\` : undefined;
}
`;

const RING = `import { type Memory, pause, Word32 } from "vring";

/** Two slots: head counts what was sent, tail what was received. */
class Ring {
  readonly head: Word32;
  readonly tail: Word32;
  readonly slots: readonly Word32[];

  constructor(memory: Memory) {
    this.head = new Word32(memory, { path: "head", offset: 0 });
    this.tail = new Word32(memory, { path: "tail", offset: 64 });
    this.slots = [0, 1].map((i) =>
      new Word32(memory, { path: \`slot[\${i}]\`, offset: 128 + 4 * i })
    );
  }

  send(value: number): void {
    const head = this.head.load();
    while (head - this.tail.load() > 2) pause(); // full?
    this.slots[head % 2].store(value);
    this.head.store(head + 1);
  }

  receive(): number {
    const tail = this.tail.load();
    while (this.head.load() === tail) pause(); // empty
    const value = this.slots[tail % 2].load();
    this.tail.store(tail + 1);
    return value;
  }
}

export const parties = {
  sender: (memory: Memory) => {
    const ring = new Ring(memory);
    for (const value of [7, 8, 9]) ring.send(value);
  },
  receiver: (memory: Memory) => {
    const ring = new Ring(memory);
    return [ring.receive(), ring.receive(), ring.receive()].join();
  },
};

/** Says what is wrong with the end of a run. */
export function check({ receiver }: { receiver?: string }): string | undefined {
  return receiver === "7,8,9" ? undefined : \`the receiver got \${receiver}\`;
}
`;

/** All structures. */
export const TEMPLATES: readonly Template[] = [
  { id: "flag", title: "A flag", source: FLAG },
  { id: "lock", title: "A lock", source: LOCK },
  { id: "ring", title: "A ring", source: RING },
];
