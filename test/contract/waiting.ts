/**
 * Waits of any product: they end by their event, at their timeout, by their signal, and when their
 * own handle closes. When the last peer goes, each product has its own rule.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, PeerLostError } from "../../src/errors.ts";
import type { Name } from "../shared/scene.ts";
import type { SyncWaitOptions } from "../../src/wait/until.ts";
import type { Ending, Handle, Options, Product, Wait } from "./product.ts";
import { UnderTest } from "./under_test.ts";

const PATIENT = { timeout: 20_000 };

type End = "sender" | "receiver";

/** A wait of one end, before its event. */
interface Waiting {
  readonly end: End;
  readonly title: string;
  readonly wait: Wait;
}

/** Every wait of a product, by the end that waits. */
function waitsOf(product: Product, open: (end: End) => Handle): Waiting[] {
  return (["sender", "receiver"] as const).flatMap((end) => {
    const { waits = {} } = open(end);
    return Object.entries(waits).map(([title, wait]) => ({ end, title, wait })).filter(
      // where both ends are alike, the receiver is the one that waits for messages
      ({ wait: { until } }) =>
        product.sender !== product.receiver || (until === "message") === (end === "receiver"),
    );
  });
}

/** Both ends; one of them waits. */
class Scene implements Disposable {
  readonly handle: Handle;
  readonly wait: Wait;
  peer: Handle;
  readonly #stack = new DisposableStack();

  constructor(
    readonly tested: UnderTest,
    readonly place: Name,
    readonly waiting: Waiting,
    readonly options: Options = {},
  ) {
    const receiver = tested.open(tested.receiver, place, options);
    const sender = tested.open(tested.sender, place, options);
    [this.handle, this.peer] = waiting.end === "sender" ? [sender, receiver] : [receiver, sender];
    this.wait = this.handle.waits![waiting.title]!;
    this.#stack.use(sender);
    this.#stack.use(receiver);
    this.block();
  }

  /** Removes everything that would end the wait. */
  block(): void {
    const { until } = this.wait;
    if (until === "turn") this.peer.takeTurn!();
    else if (until === "room") this.handle.fill?.();
    else this.handle.arrivals?.();
  }

  /** Causes the event of the wait. */
  release(): void {
    const { until } = this.wait;
    if (until === "turn") this.peer.giveTurn!();
    else if (until === "room") this.peer.arrivals!();
    else this.peer.mark!();
  }

  /** Waits, and meanwhile causes the event; before the wait, if that blocks the thread. */
  async satisfy(options: SyncWaitOptions): Promise<Ending> {
    const waiting = this.wait.async?.(options);
    await new Promise((resolve) => setTimeout(resolve)); // its thread falls asleep
    this.release();
    return await (waiting ?? this.wait.sync!(options));
  }

  /** Another peer, after the first has closed. */
  replacePeer(): void {
    const { tested: { sender, receiver }, waiting: { end } } = this;
    const role = end === "sender" ? receiver : sender;
    this.peer = this.#stack.use(this.tested.open(role, this.place, this.options));
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** Registers the tests for a product. */
export function testWaiting(product: Product): void {
  const tested = new UnderTest(product);
  const { endsWithPeer, succession } = product;

  /** Registers a test of each wait. */
  const test = (
    name: string,
    fn: (start: (options?: Options) => Scene) => void | Promise<void>,
    applies = (_: Wait) => true,
  ) =>
    tested.test(name, async (place) => {
      using stack = new DisposableStack();
      const all = waitsOf(product, (end) => stack.use(tested.open(product[end], place)));
      stack.dispose();
      product.sender.unlink?.(place.name);
      assert(all.length > 0);
      for (const waiting of all.filter(({ wait }) => applies(wait))) {
        const scenes = new DisposableStack();
        try {
          await fn((options) => scenes.use(new Scene(tested, place, waiting, options)));
        } catch (error) {
          const what = `${waiting.end}: ${waiting.title}`;
          throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
        } finally {
          scenes.dispose();
          product.sender.unlink?.(place.name);
        }
      }
    });

  test("a wait gives up at its timeout, not before, and names its purpose", async (start) => {
    const scene = start();
    const { wait, place: { name } } = scene;
    const check = (error: Error, timeout: number, begin: number) => {
      assert(performance.now() - begin >= timeout - 0.01, `${timeout} ms were not over`);
      assertEquals(error.name, "TimeoutError");
      const named = product.noun === "slot" ? "slot" : `"${name}`; // a listener has many slots
      for (const part of ["Cannot ", named, `${timeout} ms have passed`]) {
        assert(error.message.includes(part), error.message);
      }
    };
    for (const timeout of [0, 1, 20]) {
      for (const spin of [undefined, 0, 1e9]) {
        const options = { timeout, ...spin !== undefined && { spin } };
        const begin = performance.now();
        if (wait.sync) check(assertThrows(() => wait.sync!(options), DOMException), timeout, begin);
        const next = performance.now();
        if (wait.async) {
          check(await assertRejects(() => wait.async!(options), DOMException), timeout, next);
        }
      }
    }
    assertEquals(await scene.satisfy(PATIENT), "ready");
  });

  test("a wait refuses impossible limits", async (start) => {
    const { wait } = start();
    for (const options of [{ timeout: -1 }, { timeout: NaN }, { spin: -1 }, { spin: NaN }]) {
      if (wait.sync) assertThrows(() => wait.sync!(options), RangeError);
      if (wait.async) await assertRejects(() => wait.async!(options), RangeError);
    }
  });

  test("a long timeout does not wrap", async (start) => {
    const scene = start();
    const { wait } = scene;
    // 2^32 ns and 1 ms more would be 1 ms if they wrapped, or 0.29 ms in 32-bit nanoseconds
    for (const timeout of [4295.3, 2 ** 32, 1e12]) {
      const long = wait.async!({ timeout });
      await wait.async!({ timeout: 10 }).catch(() => {});
      assertEquals(await Promise.race([long, Promise.resolve("waits")]), "waits");
      scene.release();
      assertEquals(await long, "ready");
      scene.block();
    }
  }, ({ async }) => async !== undefined);

  test(
    "a signal ends a wait with its reason, before and while it waits, and nothing is lost",
    async (start) => {
      const scene = start();
      const { wait } = scene;
      const reason = new Error("enough");
      const controller = new AbortController();
      const { signal } = controller;
      const waiting = wait.async!({ signal });
      controller.abort(reason);
      for (const end of await Promise.allSettled([waiting, wait.async!({ signal })])) {
        assertEquals(end, { status: "rejected", reason });
      }
      assertEquals(await scene.satisfy(PATIENT), "ready");
    },
    ({ async }) => async !== undefined,
  );

  test("a handle that closes ends its waits with a ClosedError, and begins none", async (start) => {
    const { wait, handle } = start();
    const closed = wait.async && assertRejects(() => wait.async!(), ClosedError);
    handle.close();
    await closed;
    if (wait.sync) assertThrows(() => wait.sync!(), ClosedError);
    if (wait.async) await assertRejects(() => wait.async!(), ClosedError);
  });

  test("a wait ends when its event arrives, without a spin and with one", async (start) => {
    const scene = start();
    for (const spin of [0, 50]) {
      assertEquals(await scene.satisfy({ ...PATIENT, spin }), "ready");
      scene.block();
    }
  });

  const ends = ({ until }: Wait) => until === "message" || !product.broadcasts;
  if (endsWithPeer !== undefined) {
    test("a wait ends when the peer has closed, and never says that it died", async (start) => {
      const scene = start(endsWithPeer);
      const { wait, wait: { until } } = scene;
      const check = async (ending: () => unknown) => {
        const outcome = await Promise.try(ending).catch((error) => error);
        if (until === "message") return assertEquals(outcome, "closed");
        assert(
          outcome instanceof PeerLostError && /has closed/.test(outcome.message),
          `${outcome}`,
        );
      };
      for (let round = 0; round < 40; round++) {
        if (round > 0) scene.replacePeer();
        const waiting = wait.async?.({ ...PATIENT, spin: round % 2 === 0 ? 0 : 20 });
        waiting?.catch(() => {}); // looked at below
        for (let turn = 0; turn < round % 5; turn++) await null;
        scene.peer.close();
        if (waiting) await check(() => waiting);
        if (wait.sync) await check(() => wait.sync!());
      }
    }, ends);
  }

  if (succession && endsWithPeer) {
    test(
      "a wait for the next peer lasts until it brings news",
      async (start) => {
        const scene = start(succession);
        const { wait } = scene;
        scene.peer.close();
        if (wait.sync) assertThrows(() => wait.sync!({ timeout: 5 }), DOMException, "5 ms");
        const waiting = wait.async?.(PATIENT);
        scene.replacePeer();
        await new Promise((resolve) => setTimeout(resolve)); // it sleeps, or has asked
        scene.release();
        assertEquals(await (waiting ?? wait.sync!(PATIENT)), "ready");
      },
      ends,
    );
  }
}
