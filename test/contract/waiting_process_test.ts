/** Waits end when the last peer is killed, in every product, or last until the next one opens. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { PeerLostError } from "../../src/errors.ts";
import { until } from "../os/until.ts";
import { openSoon, processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import type { Tools } from "./contract_child.ts";
import { type Product, smallSizes } from "./product.ts";
import { PRODUCTS } from "./products.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./contract_child.ts", import.meta.url),
  "waits",
);

const PATIENT = { timeout: 20_000 };

/** The ends that wait for a peer, in the products whose peers can be lost. */
const ENDS = PRODUCTS.filter(({ endsWithPeer }) => endsWithPeer).flatMap((product) =>
  (["sender", "receiver"] as const).filter((end) => end === "receiver" || !product.broadcasts)
    .map((end) => ({ product, end, peer: end === "sender" ? "receiver" : "sender" } as const))
);

test("a wait says that the last peer died, once all that it sent has arrived, or outlives it", async (t) => {
  using stack = new DisposableStack();
  await using dying = startProcess();
  const scenes = [];
  for (const { product, end, peer } of ENDS) {
    const open = (options: Product["succession"]) => {
      const { name } = stack.use(new Name());
      const all = { ...smallSizes(product), ...options };
      const handle = stack.use(product[end].open(name, all));
      return { name, all, handle, next: () => stack.use(product[peer].open(name, all)) };
    };
    const [hasty, patient] = [open(product.endsWithPeer), open(product.succession)];
    await dying.run(({ productOf, handles }, { product, peer, places }) => {
      for (const { name, options } of places) {
        const handle = productOf(product)[peer].open(name, options);
        handles.push(handle);
        if (peer === "sender") handle.mark!();
      }
    }, {
      product: product.name,
      peer,
      places: [hasty, patient].map(({ name, all }) => ({ name, options: all })),
    });
    if (end === "sender") { for (const { handle } of [hasty, patient]) handle.fill?.(); }
    else assert(patient.handle.finds!());
    const waiting = Object.values(patient.handle.waits ?? {})[0]?.async?.(PATIENT);
    waiting?.catch(() => {}); // looked at below
    scenes.push({ product, end, hasty, patient, waiting });
  }
  await dying.kill();
  for (const { product, end, hasty, patient, waiting } of scenes) {
    await t.step(`${product.name}: ${end}`, async () => {
      if (end === "receiver") assert(hasty.handle.finds!(), "the message of the dead is missing");
      for (const { sync, async } of Object.values(hasty.handle.waits ?? {})) {
        if (async) check(await async(PATIENT).catch((error) => error));
        if (sync) check(assertThrows(() => sync(PATIENT)));
      }
      const next = await openSoon(patient.next);
      if (end === "receiver") next.mark!();
      else await until("it is there", () => next.arrivals!().length > 0);
      if (waiting) assertEquals(await waiting, "ready");
    });
  }

  function check(error: unknown): void {
    assert(error instanceof PeerLostError && /died/.test(error.message), `${error}`);
  }
});
