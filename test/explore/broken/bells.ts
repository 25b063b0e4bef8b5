/**
 * Bells that lose wake-ups, beside the bells that they could have been. Nobody here sleeps in
 * slices, so that a loss cannot heal.
 *
 * @module
 */

import { Word32 } from "../../../src/memory/word.ts";
import { inbox, post } from "../../../src/os/fifo.ts";
import { addAndWake, orderOthers, wait, wake } from "../../../src/os/futex.ts";
import { mapMemory } from "../scenario.ts";

const EVERYONE = 2 ** 31 - 1;

/** Right: `sequence << 1 | waiting`, taken and woken in one system call. */
export class SequenceBell {
  protected readonly bell: Word32;
  readonly count: Word32;

  constructor() {
    const memory = mapMemory("shared");
    this.bell = new Word32(memory, { path: "bell", offset: 0 });
    this.count = new Word32(memory, { path: "count", offset: 64 });
  }

  /** Sleeps for a while, unless it is ready. */
  sleep(ready: () => boolean): void {
    const raised = this.bell.or(1) | 1;
    if (!ready()) wait(this.bell.address, raised, Infinity);
  }

  publish(): void {
    this.count.add(1);
    this.ring();
  }

  ring(): void {
    if ((this.bell.load() & 1) !== 0) addAndWake(this.bell.address);
  }
}

/** Right: the load of the bell may pass the publish, so the sleeper orders both in the waker. */
export class OneSidedBell extends SequenceBell {
  override sleep(ready: () => boolean): void {
    const raised = this.bell.or(1) | 1;
    orderOthers();
    if (!ready()) wait(this.bell.address, raised, Infinity);
  }

  override publish(): void {
    const raised = this.count.storeThenGlance(this.count.load() + 1, this.bell) & 1;
    if (raised !== 0) addAndWake(this.bell.address);
  }
}

/** Broken: the look comes before the publish is visible, and the bell was loaded before the raise. */
export class NoSideOrders extends OneSidedBell {
  override sleep(ready: () => boolean): void {
    const raised = this.bell.or(1) | 1;
    if (!ready()) wait(this.bell.address, raised, Infinity);
  }
}

/** Broken: a sleeper that raises the bell after the check and looks before the publish sleeps on. */
export class CheckedTooEarly extends SequenceBell {
  override publish(): void {
    const raised = (this.bell.load() & 1) !== 0;
    this.count.add(1);
    if (raised) addAndWake(this.bell.address);
  }
}

/** Broken: what was published between the last look and the raise rang no bell. */
export class SleepsUnlooked extends SequenceBell {
  override sleep(): void {
    wait(this.bell.address, this.bell.or(1) | 1, Infinity);
  }
}

/** Broken: killed between the two steps, it leaves sleepers below a bell that nobody will ring. */
export class ClearsThenWakes extends SequenceBell {
  override ring(): void {
    if ((this.bell.load() & 1) === 0) return;
    this.bell.add(1);
    wake(this.bell.address, EVERYONE);
  }
}

/**
 * Broken for two: one is about to sleep when the bell is taken; the other raises it again, sees the
 * message and leaves; the first then sleeps on a 1 that is not its own.
 */
export class ZeroOneBell extends SequenceBell {
  override sleep(ready: () => boolean): void {
    this.bell.store(1);
    if (!ready()) wait(this.bell.address, 1, Infinity);
  }

  override ring(): void {
    if (this.bell.exchange(0) === 1) wake(this.bell.address, EVERYONE);
  }
}

/** Right, though it wakes too often: a sleep on the position, and a flag that its raiser clears. */
export class FlaggedPosition extends SequenceBell {
  override sleep(ready: () => boolean): void {
    const seen = this.count.load();
    this.bell.store(1);
    if (!ready()) wait(this.count.address, seen, Infinity);
    this.bell.store(0);
  }

  override ring(): void {
    if (this.bell.load() === 1) wake(this.count.address, EVERYONE);
  }
}

/**
 * Broken: the flag is not the word that is slept on. A waker that has seen it up for one message
 * clears it after the sleeper has raised it again for the next, and wakes nobody.
 */
export class WakerClears extends FlaggedPosition {
  override ring(): void {
    if (this.bell.load() === 0) return;
    this.bell.store(0);
    wake(this.count.address, EVERYONE);
  }
}

/** Right: an event loop claims the bell and compares it; the waker writes a byte after the add. */
export class LoopBell extends SequenceBell {
  protected readonly loop: Word32 = new Word32(mapMemory("shared"), { path: "loop", offset: 4 });

  /** Sleeps in the event loop for a while, unless it is ready. */
  async hear(ready: () => boolean): Promise<void> {
    const raised = this.bell.or(1) | 1;
    if (ready()) return;
    const own = inbox()!;
    this.loop.store(own.id);
    if (this.isStill(raised)) await own.wait(Infinity);
    this.loop.store(0);
  }

  protected isStill(raised: number): boolean {
    return this.bell.load() === raised;
  }

  override ring(): void {
    if ((this.bell.load() & 1) === 0) return;
    addAndWake(this.bell.address);
    this.tell();
  }

  protected tell(): void {
    const id = this.loop.load();
    if (id !== 0) post(id);
  }
}

/**
 * Broken: the byte wakes the sleeper, which raises the bell that is odd still and sleeps; then the
 * add makes the bell even.
 */
export class TellsFirst extends LoopBell {
  override ring(): void {
    if ((this.bell.load() & 1) === 0) return;
    this.tell();
    addAndWake(this.bell.address);
  }
}

/** Broken: a waker that added before the claim has found nobody to tell. */
export class NeverCompares extends LoopBell {
  protected override isStill(): boolean {
    return true;
  }
}
