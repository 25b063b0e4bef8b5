/**
 * Chapter 24 for the stage: your ring beside the library's.
 *
 * @module
 */

import { type SharedMemory, sharedMemory } from "../../mod.ts";
import { mapRing, Ring } from "../answers/24_your_ring.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import { type Party, SIZE, tryRings } from "./explored.ts";
import { makeRing, messageOf, numberOf, openRing, RealMemory } from "./real.ts";

const PLACE_BYTES = 16;
const PAUSE_MS = 10;

/** The story of chapter 24. */
export const story: Story = {
  cast: { producer },
  steps: () => {
    const here = new Here();
    return [...onRealMemory(here), ...everyOrder(), ...whatIsMissing(here), ...measured()];
  },
};

/** Where the ring of a telling is: the process that made it, and its file. */
const placeOf = (name: string) => sharedMemory(`${name}-place`, { size: PLACE_BYTES });

/** Sends messages until it is killed. */
async function producer(name: string): Promise<void> {
  using place = placeOf(name).open();
  const [pid, fd] = new Uint32Array(place.bytes.buffer, place.bytes.byteOffset, 2);
  using memory = new RealMemory(mapRing, openRing(pid!, fd!));
  const ring = new Ring(memory);
  for (let number = 0;; number++) {
    while (!ring.trySend(messageOf(number)));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** The ring of a telling. */
class Here {
  #memory: RealMemory | undefined;
  #place: SharedMemory | undefined;
  ring: Ring | undefined;
  /** The number of the next message. */
  next = 0;

  open(name: string): Ring {
    const fd = makeRing();
    const place = this.#place = placeOf(name).open();
    new Uint32Array(place.bytes.buffer, place.bytes.byteOffset, 2).set([Deno.pid, fd]);
    this.#memory = new RealMemory(mapRing, fd);
    return this.ring = new Ring(this.#memory);
  }

  /** Whether the kernel has dropped everything of the other process. */
  get isAlone(): boolean {
    return this.#place!.references === 1;
  }

  get memory(): RealMemory {
    return this.#memory!;
  }

  /** Receives all that is there; returns how many, each checked. */
  receiveAll(): number {
    let count = 0;
    for (let message = this.ring!.tryReceive(); message; message = this.ring!.tryReceive()) {
      if (numberOf(message) !== this.next) throw new Error(`message ${this.next} is missing`);
      this.next++;
      count++;
    }
    return count;
  }

  show(scene: Scene): void {
    const words = (["head", "tail", "bell"] as const).map((name) =>
      [name, this.memory.word(name).load()] as const
    );
    scene.show(tablePicture("words", "The words of the ring", [["word", "value"], ...words]));
  }
}

function onRealMemory(here: Here): Step[] {
  return [
    {
      title: "Another process sends",
      text:
        `Your ring has grown through five chapters: a mirror, positions, their order, a bell, many
        lanes. Here it meets what it is for: two processes, and a kill.

        This story runs the solution, \`answers/24_your_ring.ts\`. The judge and two programs run yours.
        A producer starts: see its card.`,
      run: async (scene) => {
        const ring = here.open(scene.name);
        scene.start("producer");
        await scene.until(() => here.memory.word("head").load() > 0);
        scene.look(() => numberOf(ring.tryReceive()!));
        here.next = 1;
        here.show(scene);
      },
    },
    {
      title: "Kill it",
      text: `Kill the producer by its card, or answer, and the stage does it. It may be
        in the middle of a message. Then this process becomes the producer.`,
      ask: {
        kind: "choice",
        picture: "words",
        text: "What must the next producer know?",
        options: [
          {
            text: "Only the head",
            right: true,
            because: "Everything below it is complete, and everything above it is free. Half a " +
              "message is free space.",
          },
          {
            text: "How far the dead one was in its message",
            because: "A half message does not count: the head has not moved past it.",
          },
          {
            text: "Which messages were received",
            because: "The tail says which messages were received, and it is in shared memory too.",
          },
        ],
      },
      run: async (scene) => {
        const ring = here.ring!;
        scene.signal("producer", "SIGKILL");
        await scene.until(() => here.isAlone);
        const receiveAll = () => here.receiveAll();
        scene.run("received", () => receiveAll());
        const { next } = here;
        scene.look(() => ring.trySend(messageOf(next)));
        scene.look(() => receiveAll());
        here.show(scene);
      },
      after:
        `\`receiveAll\` checks every byte of every message: it depends on the message's number and on
        its place, so half of one and half of another would show.`,
    },
  ];
}

const text = (number: number) => messageOf(number, SIZE);
const send = (number: number): Party["code"] => ([lane]) => new Ring(lane!).trySend(text(number));
const receive: Party["code"] = ([lane]) => numberOf(new Ring(lane!).receive());

function everyOrder(): Step[] {
  const consumer: Party = { code: receive };
  const mortal: Party = { code: send(1), mayDie: true };
  const heir: Party = { code: send(2), after: "producer" };
  const right = () => undefined;
  const withHeir = () =>
    tryRings({ parties: { producer: mortal, heir, consumer }, deaths: 1, check: right });
  const alone = () =>
    tryRings({ parties: { producer: mortal, consumer }, deaths: 1, check: right });
  return [
    {
      title: "Every order, every death",
      text:
        `A kill hits one moment of thousands. The explorer tries all: a consumer that sleeps until there
        is a message, a producer that may die between any two operations, and an heir that sends after
        it.`,
      ask: {
        kind: "choice",
        text: "Can the consumer sleep for ever?",
        options: [
          {
            text: "No",
            right: true,
            because: "If the producer dies before it rings, the bell is still up, and the heir " +
              "rings it.",
          },
          {
            text: "Yes: the producer may die before it rings",
            because: "The producer may die there. But the bell stays up then, and the heir's " +
              "message rings it.",
          },
          {
            text: "Yes: the producer may die while it rings",
            because: "Adding and waking are one system call. It has happened, or it has not.",
          },
        ],
      },
      run: (scene) => {
        scene.run("result", () => withHeir());
      },
    },
    {
      title: "And without an heir?",
      text: `Now nobody comes after the dead producer.`,
      ask: {
        kind: "choice",
        text: "Does the consumer learn that its producer is dead?",
        options: [
          {
            text: "No: it sleeps for ever",
            right: true,
            because: "Nobody is left to ring. A kill wakes nobody who sleeps on a word.",
          },
          {
            text: "Yes: the kernel wakes it",
            because: "The kernel drops the dead one's locks and memory, and touches no bell.",
          },
          {
            text: "Yes: it sees that the head stays",
            because:
              "A consumer that sleeps sees nothing. And a producer may just have nothing to " +
              "send.",
          },
        ],
      },
      run: (scene) => {
        const result = scene.run("result", () => alone());
        scene.show(result.picture!);
      },
      after:
        `So every sleep of the library ends after 250 ms. Then it looks at the ring again, and asks
        the kernel whether its peers still hold their locks.`,
    },
  ];
}

function whatIsMissing(here: Here): Step[] {
  let seen: number | string | undefined;
  return [
    {
      title: "A peer that lies",
      text: `All who can map a ring can store anything in it. The ring is empty. Some process with a
        mistake adds 4 to the head. Then we receive. \`numberOf\` returns undefined if a byte is wrong.`,
      ask: {
        kind: "choice",
        text: "What does your ring do?",
        options: [
          {
            text: "It returns bytes that nobody sent as a message",
            right: true,
            because:
              "Your ring believes the head, and never asks whether that position is possible.",
          },
          {
            text: "It returns nothing",
            because:
              "For that, the head would have to equal the tail. It differs, and that is all " +
              "the ring looks at.",
          },
          {
            text: "It crashes",
            because: "The place is within the ring, so every address is valid.",
          },
        ],
      },
      run: (scene) => {
        const { memory, ring } = here;
        const [head, tail] = [memory.word("head"), memory.word("tail")];
        here.receiveAll();
        scene.look(() => {
          head.store(tail.load() + 4);
        });
        const message = scene.run("message", () => ring!.tryReceive());
        seen = message?.length;
        scene.look(() => numberOf(message!));
        here.show(scene);
      },
      after: () =>
        `It took ${seen} bytes for a message, and the tail is past the head now. The library keeps a
        private copy of its own position, and checks each position of a peer against it: see I1 in
        \`src/lane/lane.ts\`. One that is not possible throws a \`CorruptRegionError\`.`,
    },
    {
      title: "Two producers at once",
      text:
        `Your ring has one producer. Nothing keeps a second process from being one too. Each sends
        one message, and a consumer looks twice.`,
      run: (scene) => {
        const twoProducers = () =>
          tryRings({
            parties: {
              one: { code: send(1) },
              other: { code: send(2) },
              consumer: {
                code: ([lane]) => {
                  const ring = new Ring(lane!);
                  const messages = [ring.tryReceive(), ring.tryReceive()];
                  return messages.map((each) => each && (numberOf(each) ?? "torn")).join();
                },
              },
            },
            check: ({ consumer }) =>
              `${consumer}`.includes("torn") ? "a message is torn" : undefined,
          });
        const result = scene.run("result", () => twoProducers());
        const picture = result.picture!;
        const rows = picture.rows.filter(({ text }) => !/load/.test(text));
        scene.show({ ...picture, title: "Its operations, without the loads", rows });
      },
      after: `The library's producer holds a record lock, as in chapter 7: a second one gets a
        \`RoleTakenError\`.`,
    },
  ];
}

function measured(): Step[] {
  return [
    {
      title: "Yours, killed and measured",
      text:
        `The judge tries your file, \`tutorials/mine/ring.ts\`: \`deno task learn check 24\`. Its
        tests are \`check_positions.ts\` and \`check_waiting.ts\`, stage by stage. Then kill producers of yours for ten
        seconds, at random moments:

        \`deno run --allow-ffi --allow-run=deno --allow-read tutorials/24_your_ring/trial.ts torture\`

        And measure it beside the library's ring: the same with \`bench\`. Guess first. The library
        checks every position, rings, and knows lengths. Yours loads the other side's word for each
        message; chapter 10 has the idea that saves it.`,
    },
  ];
}
