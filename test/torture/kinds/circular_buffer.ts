/**
 * An overwriting buffer under full load: writers that are killed and replaced, also within a claim,
 * and readers of all speeds that are killed, stopped and restarted. Whoever reads gets whole
 * messages in order, and its account of the lost is exact.
 *
 * @module
 */

import { RoleTakenError } from "../../../src/errors.ts";
import { CircularBufferReader, type ReadOutcome } from "../../../src/circular/reader.ts";
import { CircularBufferWriter } from "../../../src/circular/writer.ts";
import { nextTurn, sleep } from "../../../src/os/clock.ts";
import { defineKind, type Kind, type Scene, type Stage } from "../kind.ts";

const CAPACITY = 16_384;
const LONGEST = 1500;

const CELLS = {
  received: 1, // messages that readers got whole
  told: 1, // messages of whose loss readers were told
  corrupt: 1, // messages whose bytes are those of no message, or of another
  miscounted: 1, // outcomes after which received and lost do not add up
  takeovers: 1, // how often the buffer got a writer
};

type Cell = keyof typeof CELLS;

const OPTIONS = { capacity: CAPACITY };

function nameOf(scene: Scene<Cell>): string {
  return scene.name("buffer");
}

/** The message of a sequence number: its length and every byte follow from it. */
function fill(sequence: number, target: Uint8Array): void {
  for (let i = 0; i < target.length; i++) target[i] = sequence * 31 + i * 7 + (sequence >> 8);
}

function lengthOf(sequence: number): number {
  return sequence * 7919 % (LONGEST + 1);
}

/** Becomes the writer when there is none, and writes at full speed. */
async function write(stage: Stage<Cell>): Promise<void> {
  while (!stage.over) {
    try {
      using writer = CircularBufferWriter.open(nameOf(stage), OPTIONS);
      stage.claim("writing", 1 + stage.seat + 100 * (stage.life + 1));
      stage.cells.takeovers[0]!.add(1);
      for (let turns = stage.random.between(20, 400); turns > 0 && !stage.over; turns--) {
        for (let i = 0; i < 100; i++) writeOne(writer, stage.random.chance(0.5));
        await nextTurn();
      }
      stage.release("writing", 1 + stage.seat + 100 * (stage.life + 1));
    } catch (error) {
      if (!(error instanceof RoleTakenError)) throw error;
    }
    await sleep(stage.random.between(1, 20));
  }
}

function writeOne(writer: CircularBufferWriter, inPlace: boolean): void {
  const { sequence } = writer;
  const length = lengthOf(sequence);
  if (inPlace) {
    fill(sequence, writer.claim(length));
    writer.publish();
  } else {
    const message = new Uint8Array(length);
    fill(sequence, message);
    writer.write(message);
  }
}

/** Reads, at a speed of its own, and checks every byte and every count. */
async function read(stage: Stage<Cell>): Promise<void> {
  const { cells, random } = stage;
  const start = (["oldest", "newest", "now"] as const)[random.below(3)]!;
  using reader = CircularBufferReader.open(nameOf(stage), { ...OPTIONS, start });
  const pauses = random.chance(0.5) ? 0 : random.between(0, 30);
  const first = reader.sequence;
  let received = 0;
  while (!stage.over) {
    const outcome = nextOf(stage, reader);
    if (outcome.state === "ok") {
      received++;
      check(stage, reader.sequence - 1, outcome.message);
    } else if (outcome.state === "lost") cells.told[0]!.add(outcome.messages);
    else await sleep(random.between(1, 5));
    if (received + reader.lostMessages !== reader.sequence - first) {
      cells.miscounted[0]!.add(1);
      stage.complain(`read ${received}, lost ${reader.lostMessages}, came from ${first}`);
      return;
    }
    if (received % 64 === 0) await (pauses > 0 ? sleep(pauses) : nextTurn());
  }
}

function check(stage: Stage<Cell>, sequence: number, message: Uint8Array): void {
  const expected = new Uint8Array(lengthOf(sequence));
  fill(sequence, expected);
  const whole = message.length === expected.length &&
    message.every((byte, i) => byte === expected[i]);
  stage.cells[whole ? "received" : "corrupt"][0]!.add(1);
}

/** What comes next, if something comes within a slice; the writer may be dead for a while. */
function nextOf(stage: Stage<Cell>, reader: CircularBufferReader): ReadOutcome {
  if (stage.random.chance(0.9)) return reader.tryRead();
  try {
    return reader.readSync({ timeout: 250 });
  } catch (error) {
    const { name } = error as Error;
    if (name === "TimeoutError" || name === "PeerLostError") return { state: "empty" };
    throw error;
  }
}

/** The kind. */
const circularBuffer: Kind<Cell> = defineKind({
  about: "one writer at a time at full speed, readers of all speeds, every message accounted for",
  cells: CELLS,
  wanted: { resources: ["writing"], withinMs: 5000 },
  parts: {
    writer: {
      seats: 2,
      harm: {
        steps: ["oldest", "published", "copy in", "number", "state", "lock"],
        lifeMs: [5, 1500],
        stopMs: [2, 500],
      },
      run: write,
    },
    reader: {
      seats: 4,
      harm: {
        steps: ["oldest", "published", "copy out", "number", "bell", "lock"],
        lifeMs: [20, 2000],
        stopMs: [2, 900],
      },
      run: read,
    },
  },
  begin(scene) {
    const own = CircularBufferReader.open(nameOf(scene), OPTIONS); // keeps the buffer alive
    const cell = (name: Cell) => scene.cells[name][0]!.load();
    const first = own.sequence;
    return {
      counts() {
        using now = CircularBufferReader.open(nameOf(scene), { ...OPTIONS, start: "now" });
        return {
          sent: now.sequence - first,
          received: cell("received"),
          lost: cell("miscounted"),
          corrupt: cell("corrupt"),
          facts: { "told of as lost": cell("told"), "writers": cell("takeovers") },
        };
      },
      [Symbol.dispose]: () => own.close(),
    };
  },
});

export default circularBuffer;
