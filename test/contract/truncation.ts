/**
 * The process in which a peer takes memory away: before a step of an act it truncates the file, or
 * punches a hole of all of it. It reports how the act ended, and whether a touch found memory gone.
 *
 * @module
 */

import { faultWordOf, map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { spring, withTrap } from "../trap/trap.ts";
import type { Handle, Product } from "./product.ts";
import { PRODUCTS } from "./products.ts";
import { killedMessage, type Task } from "./victim.ts";

/** What the peer does to a file: keeps this share of it, and may make it as long as before again. */
export interface Taking {
  readonly share: number;
  readonly regrows?: boolean;
}

/** An act, the step before which memory is taken away, and how much. */
export interface Truncation extends Task, Taking {
  readonly at: number;
}

/** The end of an act. */
export interface Outcome {
  /** The step before which memory was taken away. */
  readonly before: string;
  /** Whether the act touched memory that was gone. */
  readonly faulted: boolean;
  /** The error of the act, of an act after it, and of closing the handles, by name. */
  readonly act: string | undefined;
  readonly next: string | undefined;
  readonly close: string | undefined;
}

const DIRECTORY = "/dev/shm";

/** The files of a name. */
function filesOf(name: string): string[] {
  return [...Deno.readDirSync(DIRECTORY)].map((file) => file.name)
    .filter((file) => file.includes(name)).map((file) => `${DIRECTORY}/${file}`);
}

/** Takes memory of all files of a name away. */
function takeAway(name: string, { share, regrows = false }: Taking): void {
  for (const path of filesOf(name)) {
    const { size } = Deno.statSync(path);
    Deno.truncateSync(path, Math.floor(size * share));
    if (regrows) Deno.truncateSync(path, size);
  }
}

/** The fault words of this process. */
const faults = (() => {
  const length = 4096;
  const flags = MapFlag.shared | MapFlag.anonymous;
  const address = map({ length, protection: Protection.read, flags });
  const { words } = faultWordOf(address);
  unmap(address, length);
  return words;
})();

/** Returns what an act throws, by name. */
function errorOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as Error).name;
  }
}

/** Performs an act, and takes memory away before one of its steps; undefined without that step. */
function truncateAmid(task: Truncation): Outcome | undefined {
  const product = PRODUCTS.find(({ name }) => name === task.product)!;
  const other = task.end === "sender" ? "receiver" : "sender";
  const open = (end: "sender" | "receiver") => product[end].open(task.name, task.options);
  const opened: Handle[] = [];
  if (product.sender !== product.receiver || product.broadcasts) opened.push(open(other));
  const handle = task.act === "open" ? undefined : open(task.end);
  if (handle !== undefined) opened.push(handle);
  const sender = task.end === "sender" ? handle : opened[0];
  for (let i = 1; i <= task.before; i++) sender?.trySend?.(killedMessage(i));
  const perform = () => {
    if (task.act === "open") opened.push(open(task.end));
    else if (task.act === "close") handle!.close();
    else handle!.acts![task.act]!(spring, killedMessage(task.before + 1));
  };
  const goOn = () => {
    if (task.act === "close") return;
    if (task.act !== "open") return perform();
    const last = opened.at(-1)!;
    if (task.end === "sender") last.mark?.();
    else last.finds?.();
  };
  faults.fill(0);
  let before: string | undefined;
  const trap = (number: number, step: string) => {
    if (number !== task.at) return;
    before = step;
    takeAway(task.name, task);
  };
  const act = errorOf(() => withTrap(trap, perform));
  const faulted = faults.some((fault) => fault !== 0);
  const next = act === undefined || task.act !== "open" ? errorOf(goOn) : undefined;
  const closes = opened.map((handle) => errorOf(() => handle.close()));
  const close = closes.find((error) => error !== undefined);
  return before === undefined ? undefined : { before, faulted, act, next, close };
}

/** The most steps of an act that are looked at. */
const MOST_STEPS = 400;

/** Performs an act once for each of its steps; each time under a name of its own. */
export function truncateEverywhere(task: Task & Taking): Outcome[] {
  const outcomes: Outcome[] = [];
  for (let at = 1; at <= MOST_STEPS; at++) {
    const name = `${task.name}-${at}`;
    const outcome = truncateAmid({ ...task, name, at });
    PRODUCTS.find((product) => product.name === task.product)!.sender.unlink?.(name);
    if (outcome === undefined) return outcomes;
    outcomes.push(outcome);
  }
  throw new Error(`An act has more than ${MOST_STEPS} steps`);
}

/** How a sleeping wait ended. */
export interface Woken {
  readonly wait: string;
  /** The name of its error, or its ending. */
  readonly ended: string;
}

const PATIENT = { timeout: 20_000 };

/**
 * Lets every asynchronous wait of every product sleep, takes the memory of all away, and returns how
 * they ended. Under the name `intact` a ring waits, too, whose memory stays.
 */
export async function truncateAsleep(
  { name, intact, ...taking }: Taking & { readonly name: string; readonly intact: string },
): Promise<Woken[]> {
  using stack = new DisposableStack();
  const regions = PRODUCTS.filter(({ semaphore }) => !semaphore);
  const sleeping = regions.flatMap((product, i) => startWaits(product, `${name}-${i}`, stack));
  const { sender, receiver } = PRODUCTS.find(({ name }) => name === "SPSC ring")!;
  const [producer, consumer] = [sender, receiver].map((role) => stack.use(role.open(intact)));
  const undisturbed = consumer!.waits!.receive!.async!(PATIENT);
  await new Promise((resolve) => setTimeout(resolve, 20)); // they fall asleep
  takeAway(name, taking);
  const woken = await Promise.all(sleeping.map(async ({ wait, ending }) => {
    const ended = await ending.catch((error: Error) => error.name);
    return { wait, ended };
  }));
  producer!.mark!();
  return [...woken, { wait: "the intact ring", ended: await undisturbed }];
}

/** Starts the waits of a product, each at a pair of handles of its own that gives it no reason to end. */
function startWaits(
  product: Product,
  name: string,
  stack: DisposableStack,
): { wait: string; ending: Promise<string> }[] {
  return (["sender", "receiver"] as const).flatMap((end) => {
    using probe = product[end].open(`${name}-${end}`);
    const titles = Object.keys(probe.waits ?? {});
    return titles.flatMap((title) => {
      const place = `${name}-${end}-${title.replaceAll(" ", "_")}`;
      const receiver = stack.use(product.receiver.open(place));
      const sender = stack.use(product.sender.open(place));
      const [handle, peer] = end === "sender" ? [sender, receiver] : [receiver, sender];
      const wait = handle.waits![title]!;
      if (wait.async === undefined) return [];
      if (wait.until === "turn") peer.takeTurn!();
      else if (wait.until === "room") handle.fill?.();
      return [{ wait: `${product.name}, ${end}: ${title}`, ending: wait.async(PATIENT) }];
    });
  });
}
