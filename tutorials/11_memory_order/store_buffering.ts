/**
 * Counts on this processor what no order of the steps allows: two processes store, then look, and
 * neither sees the other's store.
 *
 *     deno run --allow-ffi --allow-run tutorials/11_memory_order/store_buffering.ts
 *     deno run --allow-ffi --allow-run tutorials/11_memory_order/store_buffering.ts --rounds 200000
 *
 * @module
 */

import { sharedMemory } from "../../mod.ts";
import { type Counts, countSeen, HEAD_BYTES, type Kind, play } from "./rounds.ts";

const ROUNDS = 1_000_000;

/** The program stops each count after this: a busy machine has no two processors for it. */
const LIMIT_MS = 40_000;

/** An idle machine shows it at least this often in a million rounds; fewer may be chance. */
const OFTEN = 100;

function memoryFor(name: string, rounds: number) {
  return sharedMemory(name, { size: HEAD_BYTES + 2 * rounds });
}

async function main(): Promise<void> {
  const [first, second, ...others] = Deno.args;
  if (first === "other") return playOther(second as Kind, others);
  const rounds = first === "--rounds" ? Number(second) : ROUNDS;
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1e8) {
    console.error("Cannot count: pass --rounds and a whole number from 1 to 100000000");
    Deno.exit(2);
  }
  console.log("Two processes, in each round at once:\n");
  console.log("  one: x = round; look at y        other: y = round; look at x\n");
  console.log("In any order of these four steps, the last of them sees the other's store.");
  const plain = await count("store", rounds);
  const exchanged = await count("exchange", rounds);
  console.log(`\n${verdict(plain, exchanged)}`);
}

async function count(kind: Kind, rounds: number): Promise<Counts> {
  const name = `tutorial-order-${Deno.pid}`;
  using memory = memoryFor(name, rounds).open();
  const args = ["run", "--no-check", "--allow-ffi", import.meta.filename!];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args, "other", kind, name, String(rounds)],
    stdout: "null",
  });
  await using other = command.spawn();
  play("one", kind, memory.bytes, { rounds, limitMs: LIMIT_MS });
  const { success } = await other.status;
  if (!success) throw new Error("The other process has failed");
  const counts = countSeen(memory.bytes, rounds);
  show(kind, counts);
  return counts;
}

function show(kind: Kind, { played, neither, onlyOther, onlyOne, both }: Counts): void {
  const how = kind === "store" ? "a plain store" : "a read-modify-write (exchange)";
  console.log(`\nWith ${how}, ${played} rounds:`);
  const row = (words: string, number: number) =>
    console.log(`  ${words.padEnd(28)}${String(number).padStart(9)}`);
  row("both saw the other's store", both);
  row("only one saw it", onlyOne);
  row("only the other saw it", onlyOther);
  row("neither saw it", neither);
}

function verdict(plain: Counts, exchanged: Counts): string {
  if (exchanged.neither > 0) {
    return "With the exchange this must not happen. Please report it, with the processor's name.";
  }
  const perMillion = Math.round(plain.neither / Math.max(1, plain.played) * 1e6);
  if (plain.neither === 0) {
    return "This machine did not show it now. That proves nothing: it may be busy, or\n" +
      "have one processor. A program must not rely on it.";
  }
  const rare = perMillion < OFTEN ? " That is rare: other programs may be running." : "";
  return `Neither saw the other ${perMillion} times in a million plain rounds.${rare}\n` +
    "A store waits in a buffer of its processor while the load behind it is done.\n" +
    "With the exchange it never happened: it waits until its store is visible.";
}

/** The other process. */
function playOther(kind: Kind, [name, rounds]: string[]): void {
  using memory = memoryFor(name!, Number(rounds)).open();
  play("other", kind, memory.bytes, { rounds: Number(rounds), limitMs: LIMIT_MS });
}

await main();
