/**
 * Images through a slot: how soon a woken reader has one in view, in place; and images that are
 * filled, awaited, read and checked, every byte, next to Deno's own means.
 *
 * @module
 */

import { domain } from "../src/babus/definition.ts";
import type { Domain } from "../src/babus/domain.ts";
import { Listener } from "../src/babus/listener.ts";
import type { SlotPeek } from "../src/babus/history.ts";
import type { Slot } from "../src/babus/slot.ts";
import { now, time as clock } from "../src/os/clock.ts";
import type { SyncWaitOptions } from "../src/wait/until.ts";
import { allowedCpus, type CProgram } from "./harness/machine.ts";
import { type Bar, barsOf, printRates } from "./harness/report.ts";
import { type Contender, median, ratio } from "./harness/rounds.ts";
import { Fixture, type FixtureOptions } from "./harness/fixture.ts";
import type { Answering, Asking, Order, Traffic, Way, Ways } from "./harness/traffic.ts";
import {
  FRAME_BYTES,
  frameHandlers,
  onFilledPostMessage,
  onFilledSocket,
  Pictures,
} from "./vdds_frames.ts";

const PATIENCE_MS = 20e3;
const SPINNING = { spin: 5e6, timeout: PATIENCE_MS };
const ASLEEP = { spin: 0, timeout: PATIENCE_MS };

const DEPTH = 2;
const ANSWER = new Uint8Array(8);

/** One process's ends: a slot with images and one with answers. */
class Ends implements Disposable {
  readonly #domain: Domain;
  readonly #to: Slot;
  readonly #from: Slot;
  readonly #listener: Listener;

  constructor(name: string, to: string, from: string) {
    const sizes: Record<string, number> = { images: FRAME_BYTES, answers: ANSWER.length };
    const open = (slot: string) => this.#domain.slot(slot, { depth: DEPTH, size: sizes[slot]! });
    this.#domain = domain(name).open();
    this.#to = open(to);
    this.#from = open(from);
    this.#listener = new Listener().add(this.#from);
  }

  static asking(name: string): Ends {
    return new Ends(name, "images", "answers");
  }

  static answering(name: string): Ends {
    return new Ends(name, "answers", "images");
  }

  fill(pictures: Pictures): void {
    const claim = this.#to.claimSync();
    pictures.fill(claim.bytes);
    claim.publish();
  }

  answer(): void {
    this.#to.writeSync(ANSWER);
  }

  listen(options: SyncWaitOptions): void {
    this.#listener.waitSync(options);
  }

  peek(): SlotPeek {
    const peek = this.#from.peek();
    if (peek === undefined) throw new Error("There is no message");
    return peek;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.#domain.close();
  }
}

/** An image there, of which every byte is read, and an answer. */
class Exchange implements Asking, Answering, Disposable {
  readonly #ends: Ends;
  readonly #options: SyncWaitOptions;
  readonly #pictures = new Pictures();

  constructor(ends: Ends, options: SyncWaitOptions) {
    this.#ends = ends;
    this.#options = options;
  }

  static way(options: SyncWaitOptions): Way {
    return {
      asking: ({ name }: Order) => new Exchange(Ends.asking(name), options),
      answering: ({ name }: Order) => new Exchange(Ends.answering(name), options),
    };
  }

  ask(): void {
    this.#ends.fill(this.#pictures);
    this.#ends.listen(this.#options);
  }

  answer(times: number): void {
    for (; times > 0; times--) {
      this.#ends.listen(this.#options);
      const peek = this.#ends.peek();
      this.#pictures.read(peek.bytes);
      if (!peek.valid) throw new Error("The image was overwritten");
      this.#ends.answer();
    }
  }

  [Symbol.dispose](): void {
    this.#ends[Symbol.dispose]();
  }
}

const IMAGE_SPINNING = "Babus, in place, spinning";
const IMAGE_ASLEEP = "Babus, in place, asleep at once";

/** The ways. */
export const IMAGES: Ways = {
  [IMAGE_SPINNING]: Exchange.way(SPINNING),
  [IMAGE_ASLEEP]: Exchange.way(ASLEEP),
};

const TRAFFIC: Traffic = { bytes: FRAME_BYTES, capacity: 0, answerEvery: 1, answerBytes: 8 };
const PLAN = { trips: 0, blocks: 5, blockTrips: 4 };
const ROUNDS = { rounds: 31, warmUp: 4 };

/** The limit from the end of a wait until an image is in view. */
const VIEW_LIMIT = { near: 25, far: 6 };

/** Measures, prints the times and returns the bar. */
export async function measureImages(
  options: FixtureOptions,
  words: CProgram | undefined,
): Promise<Bar[]> {
  if (allowedCpus().length < 2) {
    console.log("\nImages between processes: there is one processor, so nothing is measured");
    return [];
  }
  const bars = words === undefined ? [] : await views(options, words);
  await exchanges(options);
  return bars;
}

/** The times of the images of a round, as a reader saw them, in nanoseconds. */
interface Seen {
  /** From the end of the wait until the image was in view. */
  readonly sinceWake: number[];
  /** From its publication until then, by one clock. */
  readonly sincePublished: number[];
}

const IMAGES_EACH = 50;

async function views(options: FixtureOptions, words: CProgram): Promise<Bar[]> {
  await using fixture = new Fixture(options);
  using stack = new DisposableStack();
  const { peer } = fixture;
  const contender = async (name: string, figure: keyof Seen, options: SyncWaitOptions) => {
    const domain = `bench-views-${Deno.pid}-${figure}-${options.spin}`;
    await peer.begin("imagesOpen", domain);
    const ends = stack.use(Ends.asking(domain));
    const pictures = new Pictures();
    await peer.end();
    const round = async () => {
      await peer.begin("imagesSee", [domain, options]);
      for (let i = 0; i < IMAGES_EACH; i++) {
        ends.fill(pictures);
        ends.listen(SPINNING);
      }
      const each = Float64Array.from((await peer.end() as Seen)[figure]);
      return { typical: median(each), each };
    };
    return { name, round } satisfies Contender;
  };
  const runs = await fixture.compare("until an image of 6,220,800 B is in view", [
    fixture.words(words),
    await contender("since it was woken", "sinceWake", ASLEEP),
    await contender("since publish, asleep", "sincePublished", ASLEEP),
    await contender("since publish, spinning", "sincePublished", SPINNING),
  ], ROUNDS);
  const what = "slot, view of 6,220,800 B after a wake / C, words";
  return barsOf(what, VIEW_LIMIT, (at) => ratio(runs[0]!, runs[1]!, runs[0], at));
}

async function exchanges(options: FixtureOptions): Promise<void> {
  await using fixture = new Fixture(options);
  const slow = { ...TRAFFIC, answers: 4 };
  const runs = await fixture.compare("6,220,800 B, filled and read, and an answer", [
    await onFilledSocket(slow, fixture.peer),
    await fixture.way(IMAGE_SPINNING, TRAFFIC, PLAN),
    await fixture.way(IMAGE_ASLEEP, TRAFFIC, PLAN),
    await fixture.postMessage(slow, onFilledPostMessage),
  ], ROUNDS);
  printRates(FRAME_BYTES, runs);
}

/** The peer's handlers. */
export function imageHandlers() {
  const open = new Map<string, Ends>();
  return {
    handlers: {
      ...frameHandlers(),
      imagesOpen(domain: string): void {
        open.set(domain, Ends.answering(domain));
      },
      imagesSee([domain, options]: [string, SyncWaitOptions]): Seen {
        return see(open.get(domain)!, options);
      },
    },
    [Symbol.dispose](): void {
      for (const ends of open.values()) ends[Symbol.dispose]();
    },
  };
}

function see(ends: Ends, options: SyncWaitOptions): Seen {
  const seen: Seen = { sinceWake: [], sincePublished: [] };
  for (let i = 0; i < IMAGES_EACH; i++) {
    ends.listen(options);
    const woken = now();
    const { time, valid, bytes } = ends.peek();
    const inView = now();
    const sincePublished = (clock() - time) * 1e6;
    seen.sinceWake.push(inView - woken);
    seen.sincePublished.push(sincePublished);
    if (!valid || bytes[0] !== bytes.at(-1)) throw new Error("The image was overwritten");
    ends.answer();
  }
  return seen;
}
