/**
 * What goes through the lanes of the mpsc kind, and the account of it.
 *
 * Each lane is a way from one producer to one consumer, and is accounted for as those are
 * (spsc_traffic.ts): what a message is depends on where in which lane it is. Besides, producers note
 * from where on a generation is theirs, before they send anything; so a message that is said to be
 * of another producer than it is shows.
 *
 * @module
 */

import { Inside } from "../mpsc/scene.ts";
import type { Origin } from "../../src/mpsc/consumer.ts";
import type { Scene } from "./kind.ts";
import type { Cell } from "./ledger.ts";
import { CELLS as CELLS_OF_WAYS, ReceivingNotes, type Track, wholeOf } from "./spsc_traffic.ts";

/** How many lanes there are: some share a bit of the hints. */
export const LANES = 34;

/** The lanes that are asked for by number: the last two share a bit with the first two. */
export const ASKED_FOR: readonly number[] = [0, 1, 2, 32, 33];

/** So many generations of a lane are remembered. */
const REMEMBERED = 32;

export const CELLS = {
  ...CELLS_OF_WAYS,
  begun: LANES,
  sent: LANES,
  seen: LANES,
  receiving: LANES,
  generation: LANES * REMEMBERED, // 0 while it is changed
  since: LANES * REMEMBERED, // where in its lane it began
  misnamed: 1, // messages that are said to be of another producer
  undrained: 1, // how often nobody could send because the dead had left something
};

export type CellName = keyof typeof CELLS;
type LaneScene = Scene<CellName>;

/** Where the words of positions begin: they wrap soon. */
const START = 2 ** 32 - 20_000;

/** A lane, and what is known of it. */
export class LaneTrack implements Track {
  readonly plan = { level: "messages" } as const;
  readonly begun: Cell;
  readonly sent: Cell;
  readonly seen: Cell;
  readonly receiving: Cell;
  readonly #scene: LaneScene;
  readonly #lane: number;
  readonly #words: Inside["seats"][number];

  constructor(scene: LaneScene, lane: number, words: Inside["seats"][number]) {
    const { begun, sent, seen, receiving } = scene.cells;
    this.#scene = scene;
    this.#lane = lane;
    this.#words = words;
    this.begun = begun[lane]!;
    this.sent = sent[lane]!;
    this.seen = seen[lane]!;
    this.receiving = receiving[lane]!;
  }

  /** As if much had gone through already, and something else than through any other lane. */
  begin(): void {
    const start = this.#lane * 2 ** 32 + START;
    for (const cell of [this.begun, this.sent, this.seen]) cell.store(start);
  }

  get head(): number {
    return wholeOf(this.#words.head.load(), this.sent.load());
  }

  get tail(): number {
    return wholeOf(this.#words.tail.load(), this.seen.load());
  }

  count(name: CellName): void {
    this.#scene.cells[name][0]!.add(1);
  }

  complain(text: string): void {
    this.#scene.complain(`lane ${this.#lane}: ${text}`);
  }

  #cellsOf(generation: number): { named: Cell; since: Cell } {
    const index = this.#lane * REMEMBERED + generation % REMEMBERED;
    const { generation: names, since } = this.#scene.cells;
    return { named: names[index]!, since: since[index]! };
  }

  /** A producer has the lane from here on. */
  beginGeneration(generation: number): void {
    const { head, tail } = this;
    if (tail !== head) this.complain(`taken with what is from ${tail} to ${head} unread`);
    const { named, since } = this.#cellsOf(generation);
    if (named.load() >= generation) this.complain(`generation ${generation} comes again`);
    named.store(0);
    since.store(head);
    named.store(generation);
  }

  /** The message there is said to be of this generation. */
  checkGeneration(generation: number, position: number): void {
    const [own, next] = [generation, generation + 1].map((one) => this.#cellsOf(one));
    const isForgotten = own!.named.load() !== generation;
    const isLate = next!.named.load() === generation + 1 && next!.since.load() <= position;
    if (isForgotten ? own!.named.load() > generation : own!.since.load() <= position && !isLate) {
      return;
    }
    this.count("misnamed");
    this.complain(`the message at ${position} is said to be of generation ${generation}`);
  }
}

/** A ring, and what is known of its lanes. */
export class Tracks implements Disposable {
  readonly name: string;
  readonly lanes: readonly LaneTrack[];
  readonly #inside: Inside;

  constructor(scene: LaneScene) {
    this.name = nameOf(scene);
    this.#inside = new Inside(this.name);
    this.lanes = this.#inside.seats.map((words, lane) => new LaneTrack(scene, lane, words));
  }

  /** As if much had gone through already. */
  begin(): void {
    this.#inside.startAt(START);
    for (const lane of this.lanes) lane.begin();
  }

  [Symbol.dispose](): void {
    this.#inside[Symbol.dispose]();
  }
}

/** The name of the ring in this run. */
export function nameOf(scene: LaneScene): string {
  return scene.name("lanes");
}

/** What a consumer notes. Made once it has its role. */
export class ConsumerNotes {
  readonly #tracks: readonly LaneTrack[];
  readonly #notes: readonly ReceivingNotes[];

  constructor(scene: LaneScene, { lanes }: Tracks) {
    const toTheDead = scene.cells.toTheDead[0]!;
    const before = toTheDead.load();
    this.#tracks = lanes;
    this.#notes = lanes.map((lane) => new ReceivingNotes(lane));
    const released = toTheDead.load() - before;
    if (released > 1) scene.complain(`one receive released ${released} messages`);
  }

  /** Whether something was wrong, so that what follows says nothing. */
  get flawed(): boolean {
    return this.#notes.some(({ flawed }) => flawed);
  }

  /** The next message, of whichever lane, is about to be received by copy. */
  set receiving(is: boolean) {
    for (const notes of this.#notes) notes.receiving = is;
  }

  /** A message has come. */
  message(bytes: Uint8Array, { producer, generation }: Origin, redelivered: boolean): void {
    const notes = this.#notes[producer]!;
    this.#tracks[producer]!.checkGeneration(generation, notes.position);
    notes.message(bytes, redelivered);
  }

  /** Nothing is left in any lane. */
  end(): void {
    for (const notes of this.#notes) notes.end();
  }
}
