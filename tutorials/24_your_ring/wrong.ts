/**
 * Wrong rings. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import { map } from "../../src/os/files.ts";
import { Many, mapRing, Ring } from "../answers/24_your_ring.ts";
import type { WrongAnswer } from "../wrong_answer.ts";
import type { RingMemory, RingWord, RingWork, WordName } from "./memory.ts";

const right: RingWork = { mapRing, Ring, Many };

/** What a ring does with its words and its bytes, in place of what is right. */
type Changes = Partial<Record<WordName, (word: RingWord) => Partial<RingWord>>>;

/** The same memory with other words. */
function withWord(memory: RingMemory, word: RingMemory["word"]): RingMemory {
  return {
    capacity: memory.capacity,
    size: memory.size,
    word,
    copyIn: (place, message) => memory.copyIn(place, message),
    copyOut: (place) => memory.copyOut(place),
  };
}

/** The right ring on words that do something else. */
function withWords(changes: Changes): RingWork {
  const changed = (name: WordName, word: RingWord): RingWord => ({
    ...word,
    ...changes[name]?.(word),
  });
  const wrap = (memory: RingMemory) => withWord(memory, (name) => changed(name, memory.word(name)));
  return {
    ...right,
    Ring: class extends Ring {
      constructor(memory: RingMemory, bell?: RingWord) {
        super(wrap(memory), changed("bell", bell ?? memory.word("bell")));
      }
    },
  };
}

/** A ring that sends like this. */
function sending(
  send: (
    memory: RingMemory,
    message: Uint8Array,
    words: { head: RingWord; tail: RingWord; bell: RingWord },
  ) => boolean,
): RingWork {
  return {
    ...right,
    Ring: class extends Ring {
      readonly #memory: RingMemory;
      readonly #words;

      constructor(memory: RingMemory, bell: RingWord = memory.word("bell")) {
        super(memory, bell);
        this.#memory = memory;
        this.#words = { head: memory.word("head"), tail: memory.word("tail"), bell };
      }

      override trySend(message: Uint8Array): boolean {
        return send(this.#memory, message, this.#words);
      }
    },
  };
}

/** A ring that receives like this. */
function receiving(
  receive: (memory: RingMemory, bell: RingWord, ring: Ring) => Uint8Array,
): RingWork {
  return {
    ...right,
    Ring: class extends Ring {
      readonly #memory: RingMemory;
      readonly #bell: RingWord;

      constructor(memory: RingMemory, bell: RingWord = memory.word("bell")) {
        super(memory, bell);
        this.#memory = memory;
        this.#bell = bell;
      }

      override receive(): Uint8Array {
        return receive(this.#memory, this.#bell, this);
      }
    },
  };
}

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<RingWork>[] {
  return [
    {
      mistake: "has no ring yet",
      answer: { mapRing },
      fails: "positions: messages",
    },
    {
      mistake: "mirrors the header",
      answer: {
        ...right,
        mapRing: (fd, header, capacity) => {
          const base = mapRing(fd, header, capacity);
          if (base < 0) return base;
          const address = base + header + capacity;
          map({ address, length: capacity, protection: 3, flags: 0x11, fd });
          return base;
        },
      },
      fails: "mirror: a message",
    },
    {
      mistake: "leaves a message of room",
      answer: sending((memory, message, { head, tail, bell }) => {
        const { capacity, size } = memory;
        const at = head.glance();
        if (((at - tail.load()) >>> 0) + size >= capacity) return false;
        memory.copyIn(at % capacity, message);
        head.store((at + size) >>> 0);
        if ((bell.load() & 1) === 1) bell.addAndWake();
        return true;
      }),
      fails: "positions: a full ring",
    },
    {
      mistake: "never finds the ring full",
      answer: withWords({ tail: () => ({ load: () => 0 }) }),
      fails: "positions: messages",
    },
    {
      mistake: "takes a wrapped position for a small one",
      answer: sending((memory, message, { head, tail, bell }) => {
        const { capacity, size } = memory;
        const at = head.glance();
        if (Math.abs(at - tail.load()) + size > capacity) return false;
        memory.copyIn(at % capacity, message);
        head.store((at + size) >>> 0);
        if ((bell.load() & 1) === 1) bell.addAndWake();
        return true;
      }),
      fails: "positions: they wrap",
    },
    {
      mistake: "announces a message before it is there",
      answer: sending((memory, message, { head, tail, bell }) => {
        const { capacity, size } = memory;
        const at = head.glance();
        if (((at - tail.load()) >>> 0) + size > capacity) return false;
        head.store((at + size) >>> 0);
        memory.copyIn(at % capacity, message);
        if ((bell.load() & 1) === 1) bell.addAndWake();
        return true;
      }),
      fails: "publish last",
    },
    {
      mistake: "gives the room back before it has read",
      answer: {
        ...right,
        Ring: class extends Ring {
          readonly #memory: RingMemory;

          constructor(memory: RingMemory, bell?: RingWord) {
            super(memory, bell);
            this.#memory = memory;
          }

          override tryReceive(): Uint8Array | undefined {
            const { capacity, size } = this.#memory;
            const tail = this.#memory.word("tail").glance();
            if (this.#memory.word("head").load() === tail) return undefined;
            this.#memory.word("tail").store((tail + size) >>> 0);
            return this.#memory.copyOut(tail % capacity);
          }
        },
      },
      fails: "publish last",
    },
    {
      mistake: "announces by a plain store",
      answer: withWords({ head: (word) => ({ store: (value) => word.storePlainly(value) }) }),
      fails: "order: on a processor",
    },
    {
      mistake: "looks by a plain load",
      answer: withWords({ head: (word) => ({ load: () => word.glance() }) }),
      fails: "order: on a processor",
    },
    {
      mistake: "gives room back by a plain store",
      answer: withWords({ tail: (word) => ({ store: (value) => word.storePlainly(value) }) }),
      fails: "order: each word",
    },
    {
      mistake: "asks for room by a plain load",
      answer: withWords({ tail: (word) => ({ load: () => word.glance() }) }),
      fails: "order: each word",
    },
    {
      mistake: "rings each time",
      answer: withWords({ bell: (word) => ({ load: () => word.load() | 1 }) }),
      fails: "the bell: no system call",
    },
    {
      mistake: "never rings",
      answer: withWords({ bell: () => ({ load: () => 0 }) }),
      fails: "the bell: every order",
    },
    {
      mistake: "sleeps without a second look",
      answer: receiving((_, bell, ring) => {
        for (;;) {
          const message = ring.tryReceive();
          if (message !== undefined) return message;
          bell.sleepWhile(bell.or(1) | 1);
        }
      }),
      fails: "the bell: every order",
    },
    {
      mistake: "sleeps on a bell that is not raised",
      answer: receiving((_, bell, ring) => {
        for (;;) {
          const message = ring.tryReceive();
          if (message !== undefined) return message;
          bell.sleepWhile(bell.load());
        }
      }),
      fails: "the bell: no system call",
    },
    {
      mistake: "looks at the bell too early",
      answer: withWords({ bell: (word) => ({ load: () => word.glance() }) }),
      fails: "the bell: the same",
    },
    {
      mistake: "begins at the first lane each time",
      answer: {
        ...right,
        Many: class extends Many {
          readonly #rings: readonly Ring[];

          constructor(lanes: readonly RingMemory[]) {
            super(lanes);
            this.#rings = lanes.map((lane) => new Ring(lane, lanes[0]!.word("bell")));
          }

          override tryReceive(): Uint8Array | undefined {
            for (const ring of this.#rings) {
              const message = ring.tryReceive();
              if (message !== undefined) return message;
            }
            return undefined;
          }
        },
      },
      fails: "many producers: each lane",
    },
    {
      mistake: "sleeps on the bell of the last lane",
      answer: {
        ...right,
        Many: class extends Many {
          constructor(lanes: readonly RingMemory[]) {
            const [first, ...rest] = lanes as [RingMemory, ...RingMemory[]];
            super([
              withWord(first, (name) => (name === "bell" ? rest.at(-1)! : first).word(name)),
              ...rest,
            ]);
          }
        },
      },
      fails: "many producers: two",
    },
    {
      mistake: "lowers the bell and wakes in two operations",
      answer: withWords({
        bell: (word) => ({
          addAndWake: () => {
            const raised = word.load();
            word.store(raised + 1);
            word.addAndWake();
          },
        }),
      }),
      fails: "the explorer: the producer",
    },
  ];
}
