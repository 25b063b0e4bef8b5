/**
 * The lanes of the mpsc workload and their account.
 *
 * Each lane is a way from one producer to one consumer (way.ts). Besides, producers note where a
 * generation of theirs begins before they send anything, so a message with the wrong origin shows.
 *
 * @module
 */

import { Inside } from "../../mpsc/scene.ts";
import type { FromProducer } from "../../../src/mpsc/consumer.ts";
import type { Scene } from "../workload.ts";
import type { Cell } from "../ledger.ts";
import { cellsOfWays, ReceivingNotes, START, type Told, Way } from "./way.ts";

/** The number of lanes: some share a bit of the hints. */
export const LANES = 34;

/** The lanes that are asked for by number: the last two share a bit with the first two. */
export const ASKED_FOR: readonly number[] = [0, 1, 2, 32, 33];

/** The number of generations of a lane that are remembered. */
const REMEMBERED = 32;

export const CELLS = {
  ...cellsOfWays(LANES),
  generation: LANES * REMEMBERED, // 0 while it is changed
  since: LANES * REMEMBERED, // where in its lane it began
  misnamed: 1, // messages with the origin of another producer
  undrained: 1, // times that a lane could not be taken because of the remains of a dead producer
};

export type CellName = keyof typeof CELLS;
type LaneScene = Scene<CellName>;

/** A lane, and the notes about it. */
export class Lane extends Way<CellName> {
  readonly #lane: number;

  constructor(scene: LaneScene, lane: number, words: Inside["seats"][number]) {
    // Its content differs from that of every other lane.
    const start = lane * 2 ** 32 + START;
    super(scene, { title: `lane ${lane}`, index: lane, level: "messages", start, words });
    this.#lane = lane;
  }

  #cellsOf(generation: number): { named: Cell; since: Cell } {
    const index = this.#lane * REMEMBERED + generation % REMEMBERED;
    const { generation: names, since } = this.scene.cells;
    return { named: names[index]!, since: since[index]! };
  }

  /** Notes that a producer has the lane from here on. */
  beginGeneration(generation: number): void {
    const { head, tail } = this;
    if (tail !== head) this.complain(`taken with what is from ${tail} to ${head} unread`);
    const { named, since } = this.#cellsOf(generation);
    if (named.load() >= generation) this.complain(`generation ${generation} comes again`);
    named.store(0);
    since.store(head);
    named.store(generation);
  }

  /** Checks that the message there can be of this generation. */
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

/** A ring, and the notes about its lanes. */
export class Lanes implements Disposable {
  readonly lanes: readonly Lane[];
  readonly #inside: Inside;

  constructor(scene: LaneScene) {
    this.#inside = new Inside(nameOf(scene));
    this.lanes = this.#inside.seats.map((words, lane) => new Lane(scene, lane, words));
  }

  /** Acts as if much had gone through already. */
  begin(): void {
    this.#inside.startAt(START);
    for (const lane of this.lanes) lane.begin();
  }

  [Symbol.dispose](): void {
    this.#inside[Symbol.dispose]();
  }
}

/** Returns the name of the ring in this run. */
export function nameOf(scene: LaneScene): string {
  return scene.name("lanes");
}

/** The notes of a consumer. Made once it has its role. */
export class ConsumerNotes {
  readonly #lanes: readonly Lane[];
  readonly #notes: readonly ReceivingNotes[];

  constructor(scene: LaneScene, { lanes }: Lanes) {
    const before = scene.total("toTheDead");
    this.#lanes = lanes;
    this.#notes = lanes.map((lane) => new ReceivingNotes(lane));
    const released = scene.total("toTheDead") - before;
    if (released > 1) scene.complain(`one receive released ${released} messages`);
  }

  /** Whether something was wrong, so that further notes mean nothing. */
  get flawed(): boolean {
    return this.#notes.some(({ flawed }) => flawed);
  }

  /** Notes whether the next message, of any lane, is about to be received by copy. */
  set receiving(is: boolean) {
    for (const notes of this.#notes) notes.receiving = is;
  }

  /** Notes a message. */
  message(bytes: Uint8Array, { producer, generation }: FromProducer, told: Told): void {
    const notes = this.#notes[producer]!;
    this.#lanes[producer]!.checkGeneration(generation, notes.position);
    notes.message(bytes, told);
  }

  /** Returns the notes about a lane. */
  of({ producer }: FromProducer): ReceivingNotes {
    return this.#notes[producer]!;
  }

  /** Checks that no lane has anything left. */
  end(): void {
    for (const notes of this.#notes) notes.end();
  }
}
