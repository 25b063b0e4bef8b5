/**
 * Chapter 9: a process that owns the lock, and stops before a step of our choice.
 *
 * The chapter runs with test/trap's import map: the library announces each operation before it makes
 * it.
 *
 * @module
 */

import { lock, sharedMemory, struct, type View } from "../../mod.ts";
import { arm, spring } from "../../test/trap/trap.ts";

/** What the processes of this chapter share. */
export const Bank = struct("bank", {
  ann: { type: "f64", doc: "Ann's coins" },
  ben: { type: "f64", doc: "Ben's coins" },
  stopBefore: { type: "u32", doc: "the operation before which the owner stops" },
  at: { type: "u32", doc: "the operation before which it has stopped" },
});

/** The shared memory of this chapter. */
export type Coins = View<typeof Bank>;

/** Opens the memory of a telling. */
export function openBank(name: string): { bank: Coins; members: () => number } {
  const memory = sharedMemory(name, { size: Bank.size }).open();
  return { bank: memory.view(Bank), members: () => memory.references };
}

/** Moves 30 coins from Ann to Ben, under the lock: six operations. */
export function moveCoins(bank: Coins, door: ReturnType<ReturnType<typeof lock>["open"]>): void {
  const permit = door.lockSync();
  spring("ann -= 30");
  bank.ann -= 30;
  spring("ben += 30");
  bank.ben += 30;
  permit.release();
}

/** Moves the coins, up to the operation `stopBefore`, and waits there to be killed. */
export function owner(name: string): void {
  const { bank } = openBank(name);
  const door = lock(name).open();
  const at = bank.stopBefore;
  arm({ act: "stop", at }, () => {
    bank.at = at;
    sleepForEver();
  });
  moveCoins(bank, door);
}

/** Gets the lock after a death, and waits to be killed before it has repaired anything. */
export function heir(name: string): void {
  const { bank } = openBank(name);
  const permit = lock(name).open().lockSync();
  bank.at = permit.recovered ? 1 : 2;
  sleepForEver();
  permit.release();
}

function sleepForEver(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
