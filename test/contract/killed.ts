/**
 * A process is killed before every step that others can notice, of every act of every product. Its
 * published messages arrive, once and whole. Messages that it had received are gone or come again,
 * flagged if they were shown. Its role and its locks are free, nobody waits for it, and no file is
 * left.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { isPayload } from "../circular/scene.ts";
import { until } from "../os/until.ts";
import type { Party } from "../shared/party.ts";
import { type Death, deathsAt, openSoon } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import type { Tools } from "./contract_child.ts";
import { type Arrival, type Handle, type Product, type Received, smallSizes } from "./product.ts";
import { meet } from "./under_test.ts";
import { killedMessage, type Task } from "./victim.ts";

const PATIENT = { timeout: 60_000 };

/** Steps that change nothing for others: a death before the next one is the same. */
const UNNOTICED =
  / load$| out|view$|map$|^(bufferAt|space|open|close|stat|statPath|read|list|find lock|test lock)$/;

/** An act, and whether its peer is there while it happens. */
export interface Play extends Pick<Task, "end" | "act"> {
  readonly peer: boolean;
}

/** The acts of both ends of a product. */
export function playsOf(product: Product, { name }: Name): Play[] {
  const plays: Play[] = [];
  for (const end of ["sender", "receiver"] as const) {
    if (end === "receiver" && product.receiver === product.sender && !product.broadcasts) continue;
    using handle = product[end].open(name, optionsOf(product));
    for (const act of ["close", ...Object.keys(handle.acts ?? {})]) {
      const sends = /^(send|publish|write|call)/.test(act);
      if (act === "close" || sends === (end === "sender") || product.locks) {
        plays.push({ end, act, peer: true });
      }
    }
    for (const peer of [false, true]) plays.push({ end, act: "open", peer });
  }
  return plays;
}

/** The options of handles that several roles can have in turn. */
export function optionsOf(product: Product) {
  return { ...smallSizes(product), ...product.succession };
}

/** One death, and the survivors. */
class Scene implements Disposable {
  readonly #product: Product;
  readonly #play: Play;
  readonly #place = new Name();
  readonly #living = new DisposableStack();
  readonly #sender: Handle | undefined;
  /** A peer that waits, and one that does not look before the death. */
  readonly #receivers: Handle[] = [];
  readonly task: Task;
  #waiting: Promise<Received> | undefined;

  constructor(product: Product, play: Play, readonly death?: Death, readonly at = Infinity) {
    this.#product = product;
    this.#play = play;
    const { end, act, peer } = play;
    const { name } = this.#place;
    const before = product.fits ?? 2;
    this.task = { product: product.name, end, act, name, options: optionsOf(product), before };
    if (!peer) return;
    if (end === "receiver") this.#sender = this.#open("sender");
    if (end === "sender" || product.broadcasts) this.#receivers.push(this.#open("receiver"));
    if (end === "sender" && product.broadcasts) this.#receivers.push(this.#open("receiver"));
  }

  #open(end: "sender" | "receiver"): Handle {
    const { task: { name, options } } = this;
    return this.#living.use(this.#product[end].open(name, options));
  }

  #openSoon(end: "sender" | "receiver"): Promise<Handle> {
    return openSoon(() => this.#open(end));
  }

  get #carries(): boolean {
    return this.#receivers[0]?.arrivals !== undefined;
  }

  /** Brings the peers to where they are when it dies. */
  prepare(): void {
    const { before } = this.task;
    if (this.#play.act === "open") return;
    if (this.#play.end === "receiver") {
      for (let i = 1; i <= before; i++) this.#sender?.trySend?.(killedMessage(i));
    } else if (this.#receivers[0]?.arrivals) {
      assertEquals(numbersOf(this.#receivers[0].arrivals()), numbersTo(before));
      this.#waiting = this.#receivers[0].receive?.(PATIENT);
      this.#waiting?.catch(() => {}); // unless another check has failed before
    }
  }

  /**
   * Checks the state afterwards. `shown` is whether it died while a message was shown, or inside a
   * lock. Returns how many of its messages were published, or not yet received.
   */
  async check(shown: boolean): Promise<number> {
    const { end, act, peer } = this.#play;
    let arrived = 0;
    if (this.#product.locks) {
      const isKnown = shown || this.at === 0 || this.death === undefined;
      await this.#checkLock(isKnown ? shown && act === "lock" : undefined);
    }
    if (act === "open" || !this.#carries && !this.#sender?.trySend) {
      const sender = this.#sender ?? await this.#openSoon("sender");
      const receiver = end === "receiver" || !peer
        ? await this.#openSoon("receiver")
        : this.#receivers[0]!;
      meet(sender, receiver);
    } else arrived = await (end === "sender" ? this.#checkSent() : this.#checkReceived(shown));
    this.#living.dispose();
    if (this.#product.semaphore) this.#product.sender.unlink!(this.task.name);
    await until("no file is left", () => this.#place.files().length === 0);
    return arrived;
  }

  /** Owners learn of a death inside, and only the next one does. */
  async #checkLock(inside: boolean | undefined): Promise<void> {
    const lock = await this.#openSoon("receiver");
    const recovered = await lock.recovers!(PATIENT);
    if (inside !== undefined) assertEquals(recovered, inside);
    assertEquals(await lock.recovers!(PATIENT), false);
  }

  /** The successor's message follows those of the dead process. */
  async #checkSent(): Promise<number> {
    const { before } = this.task;
    const [receiver, idle] = this.#receivers;
    const arrivals: Arrival[] = [];
    const first = this.#waiting?.then((received) => {
      if (received.state === "ok") arrivals.push(received);
    });
    if (first === undefined) arrivals.push(...receiver!.arrivals!());
    const next = await this.#openSoon("sender");
    const late = idle && await this.#openSoon("receiver");
    assert(next.trySend!(killedMessage(before + 2)), "there is no room");
    await first;
    arrivals.push(...receiver!.arrivals!());
    const numbers = numbersOf(arrivals);
    const published = numbers.length === 2;
    assertEquals(numbers, [...published ? [before + 1] : [], before + 2]);
    const all = [...numbersTo(before), ...numbers];
    if (idle) assertAccount(idle.arrivals!(), all);
    if (late) {
      const seen = numbersOf(late.arrivals!().filter((one) => "message" in one));
      assertEquals(seen, all.slice(-Math.max(1, seen.length)));
    }
    await this.#goOn(next, receiver!, [idle, late]);
    return Number(published);
  }

  /** Its successor gets the messages that it had not received; other receivers are not affected. */
  async #checkReceived(shown: boolean): Promise<number> {
    const { before } = this.task;
    const { broadcasts, atMostOnce } = this.#product;
    const all = numbersTo(before);
    const receiver = this.#receivers[0] ?? await this.#openSoon("receiver");
    const arrivals = receiver.arrivals!();
    let left = before;
    if (broadcasts) assertAccount(arrivals, all);
    else {
      left = arrivals.length;
      assertEquals(numbersOf(arrivals), all.slice(before - left));
      const flags = arrivals.map((one) => "redelivered" in one && one.redelivered);
      if (shown && left === before) assert(!atMostOnce && flags[0], "it comes without a flag");
      if (this.death === undefined) assert(!flags.includes(true), "what was not shown is flagged");
    }
    const late = broadcasts && await this.#openSoon("receiver");
    await this.#goOn(this.#sender!, receiver, late ? [late] : []);
    return left;
  }

  /** A message goes into every place, and out of it. */
  async #goOn(sender: Handle, receiver: Handle, others: readonly (Handle | undefined)[]) {
    const { before } = this.task;
    for (let i = before + 3; i < before + 14; i++) {
      const waiting = receiver.receive?.(PATIENT);
      assert(sender.trySend!(killedMessage(i)), `no room for message ${i}`);
      const received = await waiting;
      if (received === undefined) assertEquals(numbersOf(receiver.arrivals!()), [i]);
      else assertEquals([received.state, numbersOf([received as Arrival])], ["ok", [i]]);
      for (const other of others) {
        if (other) assertEquals(numbersOf(other.arrivals!().slice(-1)), [i]);
      }
      await sender.settle?.();
    }
  }

  [Symbol.dispose](): void {
    this.#living.dispose();
    this.#place[Symbol.dispose]();
  }
}

function numbersTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}

/** Returns the numbers of whole messages. */
function numbersOf(arrivals: readonly Arrival[]): number[] {
  return arrivals.map((arrival) => {
    assert("message" in arrival, "a message was lost");
    const number = numbersTo(20).find((number) => isPayload(arrival.message, number));
    assert(
      number !== undefined && arrival.message.length === killedMessage(1).length,
      "it is torn",
    );
    return number;
  });
}

/** Fails unless these arrive, where the oldest may be lost and are counted. */
function assertAccount(arrivals: readonly Arrival[], all: readonly number[]): void {
  const [first] = arrivals;
  const lost = first !== undefined && "lost" in first ? first.lost : 0;
  assertEquals(numbersOf(lost > 0 ? arrivals.slice(1) : arrivals), all.slice(lost));
}

/** Kills a process before every step of every act of a product. */
export async function testKilled(
  product: Product,
  victim: Party<Tools>,
  step: (name: string, check: () => Promise<void>) => Promise<unknown>,
): Promise<void> {
  using stack = new DisposableStack();
  const stage = async (scenes: readonly Scene[]) => {
    for (const scene of scenes) stack.use(scene);
    await victim.run(({ enter }, tasks) => tasks.forEach(enter), scenes.map(({ task }) => task));
    for (const scene of scenes) scene.prepare();
    await new Promise((resolve) => setTimeout(resolve)); // those that wait fall asleep
  };
  const plays = playsOf(product, stack.use(new Name()));
  const survivors = plays.map((play) => new Scene(product, play)); // killed after the act
  await stage(survivors);
  const steps = await victim.run(
    ({ rehearse }, tasks) => tasks.map(rehearse),
    survivors.map(({ task }) => task),
  );
  const deaths = plays.map((play, i) =>
    [...deathsAt(steps[i]!).entries()].filter(([, { step }]) => !UNNOTICED.test(step))
      .map(([at, death]) => new Scene(product, play, death, at))
  );
  await stage(deaths.flat());
  const dying = victim.run(
    ({ dieIn }, tasks) => dieIn(tasks),
    deaths.flat().map(({ task, death }) => ({ ...task, death: death! })),
  );
  await dying.catch((error) => assertEquals(error.name, "PartyEnded", error.message));
  assertEquals(await victim.ended(), "SIGKILL");

  for (const [i, play] of plays.entries()) {
    const { end, act, peer } = play;
    const title = `${product[end].title}: ${act}${peer || act !== "open" ? "" : " alone"}`;
    await step(title, async () => {
      const shown = steps[i]!.findIndex((step) => step === "shown" || step === "inside");
      let last: number | undefined;
      assert(deaths[i]!.length > 0, "it has no step");
      for (const scene of [...deaths[i]!, survivors[i]!]) {
        const { death, at } = scene;
        const when = death ? `before ${death.step}, ${death.time}` : "after it";
        const isShown = product.locks ? death?.step === "inside" : shown !== -1 && at >= shown;
        try {
          const arrived = await scene.check(isShown && death !== undefined);
          const [earlier, later] = end === "sender" ? [last, arrived] : [arrived, last];
          // What was sent or received once is that at every later step.
          const mayFall = end === "sender" && product.withdraws;
          if (last !== undefined && !mayFall) {
            assert(earlier! <= later!, `${arrived} arrived after ${last}`);
          }
          last = arrived;
        } catch (error) {
          throw new Error(`Killed ${when}: ${(error as Error).message}`, { cause: error });
        }
      }
    });
  }
}
