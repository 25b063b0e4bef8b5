/**
 * The order of words, which V8 promises for ordinary ArrayBuffers and ECMAScript does not. No test can
 * prove an order; this one plays rounds until plain accesses have broken it often enough to show that
 * these rounds would tell, and then no kind of word may have broken it once.
 */

import { assertEquals } from "@std/assert";
import { hasManyCpus, now } from "../../src/os/clock.ts";
import { Peer } from "../os/peer.ts";
import { ScratchFd } from "../os/scratch.ts";
import type { Task } from "./worker_order.ts";
import { type Access, ACCESSES, ORDER_BYTES } from "./words.ts";

const PROGRAM = new URL("./worker_order.ts", import.meta.url);

/**
 * The accesses that show the outcome that the others must not show. On aarch64 a waker has an order
 * of its own.
 */
const TELLING: readonly Access[] = Deno.build.arch === "x86_64"
  ? ["plain", "bell without orderOthers()"]
  : ["plain"];

/** So often they must have shown it. */
const ENOUGH = 30;

const BUDGET_NS = 3e9;

Deno.test("a store to a word and a load of another are seen in order, as plain ones are not", async () => {
  if (!hasManyCpus) return console.log("NOT TESTED: the order of words, as there is one processor");
  using stack = new DisposableStack();
  const peers: Peer<Task, Uint8Array>[] = [];
  for (let side = 0; side < 2; side++) peers.push(stack.use(await Peer.start(PROGRAM)));

  /** Plays all rounds; returns the number of rounds in which both sides loaded 0. */
  async function play(access: Access): Promise<number> {
    using file = ScratchFd.memory(ORDER_BYTES);
    const task = (side: 0 | 1): Task => ({ fd: file.fd, side, access });
    const [a, b] = await Promise.all([peers[0]!.ask(task(0)), peers[1]!.ask(task(1))]);
    return a.reduce((count, loaded, round) => count + Number(loaded === 0 && b[round] === 0), 0);
  }

  const both = new Map<Access, number>(ACCESSES.map((access) => [access, 0]));
  const end = now() + BUDGET_NS;
  while (TELLING.some((access) => both.get(access)! < ENOUGH) && now() < end) {
    for (const access of ACCESSES) both.set(access, both.get(access)! + await play(access));
  }
  const { plain, "bell without orderOthers()": unordered, ...atomic } = Object.fromEntries(both);
  assertEquals(Object.values(atomic), [0, 0, 0, 0], JSON.stringify(atomic));
  const telling = `plain accesses broke it ${plain} times, and such bells ${unordered} times`;
  if (TELLING.some((access) => both.get(access)! < ENOUGH)) console.log(`NOT TESTED: ${telling}`);
});
