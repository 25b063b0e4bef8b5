/**
 * The samples that a publisher takes from its topic, to loan them or to send values.
 *
 * @module
 */

import { checkSyncWaits, inWords } from "../arguments.ts";
import { counted, VringError } from "../errors.ts";
import type { Waiter } from "../wait/condition.ts";
import { type SyncWaitOptions, untilSync } from "../wait/until.ts";
import type { Policy } from "./topic_options.ts";
import type { VRing } from "./vring.ts";
import { NONE } from "./vring_layout.ts";
import type { VRingWriter } from "./vring_writer.ts";

/** The free samples of a topic, by their descriptors, for its publisher. */
export class Supply {
  readonly #ring: VRing;
  readonly #writer: VRingWriter;
  readonly #policy: Policy;
  readonly #checkIdle: () => void;
  /** The number of descriptors that loans have. */
  loans = 0;
  /** The most descriptors that loans and the sample that is being sent can have. */
  readonly most: number;
  /** The most descriptors that loans can have. */
  readonly loansMost: number;
  /** Waits for a free sample. */
  readonly waiter: Waiter;

  /** @param checkIdle Throws while a value is being encoded into a sample. */
  constructor(
    ring: VRing,
    writer: VRingWriter,
    { policy, history, checkIdle }: { policy: Policy; history: number; checkIdle: () => void },
  ) {
    this.#ring = ring;
    this.#writer = writer;
    this.#policy = policy;
    this.#checkIdle = checkIdle;
    this.most = ring.plan.depth - history;
    this.loansMost = Math.max(1, this.most - 1);
    const free = {
      bell: ring.spaceBell,
      watch: ring.available,
      ready: () => writer.stockHinted(),
      beforeSleep: () => writer.stock() ? "ready" as const : undefined,
    };
    this.waiter = {
      action: `publish to ${ring.what}`,
      conditions: () => [free],
      checkOpen: () => ring.region.checkOpen(),
      state: () =>
        `no sample is free of its ${ring.plan.depth}: this publisher has ` +
        `${counted(this.loans, "loan")}, and it has ${counted(ring.countReaders(), "subscriber")}`,
    };
  }

  /**
   * Takes a descriptor with memory for `length` bytes. When none is free, applies the policy and
   * returns NONE. Throws a VringError if the publisher already has `most` loans.
   */
  take(length: number, most: number): number {
    this.#begin(length, most);
    if (this.#writer.stock()) return this.#writer.take(length);
    if (this.#policy !== "block") this.#writer.skip();
    this.#ring.region.mapping.checkWhole(); // it may have found zeros
    return NONE;
  }

  /** Takes a descriptor as `take` does, and blocks while none is free and none can be dropped. */
  takeSync(length: number, most: number, options: SyncWaitOptions | undefined): number {
    if (options !== undefined) checkSyncWaits(options);
    this.#begin(length, most);
    if (!this.#stocks()) this.#awaitFree(options);
    return this.#writer.take(length);
  }

  /** Takes a descriptor as `take` does, but counts no sample as lost; returns NONE if it must wait. */
  takeLater(length: number, most: number): number {
    this.#begin(length, most);
    return this.#writer.stock() ? this.#writer.take(length) : NONE;
  }

  /** Apart from its caller, which otherwise pays for the closure even when it need not wait. */
  #awaitFree(options: SyncWaitOptions | undefined): void {
    untilSync(() => this.#stocks() || undefined, this.waiter, options);
  }

  /** Stocks a descriptor that is free by a hint, which a wait watches, or that can be dropped. */
  #stocks(): boolean {
    return this.#policy === "dropOldest" ? this.#writer.stock() : this.#writer.stockHinted();
  }

  #begin(length: number, most: number): void {
    const { region, plan } = this.#ring;
    region.checkOpen();
    this.#checkIdle();
    if (!Number.isInteger(length) || length < 0 || length > plan.sampleBytes) {
      throw this.#misfit(length);
    }
    if (this.loans >= most) throw this.#exhausted();
  }

  #misfit(length: unknown): Error {
    const { what, plan } = this.#ring;
    if (typeof length !== "number") {
      return new TypeError(
        `Cannot take a sample of ${what}: the length is ${inWords(length)}; pass a number of bytes`,
      );
    }
    return new RangeError(
      `Cannot publish ${inWords(length)} bytes to ${what}: a sample can have ` +
        `${plan.sampleBytes}; define it with a larger size`,
    );
  }

  #exhausted(): VringError {
    return new VringError(
      `Cannot take another sample of ${this.#ring.what}: this publisher has ` +
        `${counted(this.loans, "loan")}, and can have ${this.loansMost} at a time (depth less ` +
        `history less 1, at least 1); publish or dispose of ${this.loans === 1 ? "it" : "one"}`,
    );
  }

  /** Takes back a descriptor that was not published. */
  takeBack(d: number): void {
    const { region, spaceBell } = this.#ring;
    const { usable, isLost } = region.mapping;
    if (!usable || isLost) return; // closed, or its buffer was transferred away
    this.#writer.giveBack(d);
    spaceBell.ring(); // another call of this publisher may wait
  }
}
