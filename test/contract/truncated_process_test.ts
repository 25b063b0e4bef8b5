/**
 * A peer truncates the file before every step of every act of every product. The process survives.
 * An act that touched memory which was gone fails, and so does the next one. Closing works.
 */

import { assert, assertEquals } from "@std/assert";
import { until } from "../os/until.ts";
import { Party } from "../shared/party.ts";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import type { Tools } from "./contract_child.ts";
import { optionsOf, playsOf } from "./killed.ts";
import { PRODUCTS } from "./products.ts";
import type { Outcome, Taking } from "./truncation.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./contract_child.ts", import.meta.url),
  "truncated files",
);

/** The errors that opening a file may have which is too short before it is mapped. */
const UNOPENED = [undefined, "LayoutMismatchError", "CorruptRegionError"];

/** A merged subscriber opens without a source that it finds corrupt, and the next act reports it. */
const DEFERS = "topic with many publishers";

function check({ act, next, close, faulted }: Outcome, acts: string, product: string): void {
  assertEquals(close, undefined, "closing fails");
  if (acts === "close") return assertEquals(act, undefined, "closing fails");
  if (acts === "open" && !faulted) return assert(UNOPENED.includes(act), `opening: ${act}`);
  if (!faulted) return assertEquals(next, "CorruptRegionError", "the act after it");
  const defers = acts === "open" && product === DEFERS && act === undefined;
  if (!defers) assertEquals(act, "CorruptRegionError", "the act");
  if (acts !== "open" || defers) assertEquals(next, "CorruptRegionError", "the act after it");
}

for (const product of PRODUCTS) {
  test(`${product.name}: no act succeeds on a file that is truncated before any step`, async (t) => {
    await using child = startProcess({ trapped: true });
    using name = new Name();
    for (const { end, act, peer } of playsOf(product, name)) {
      const title = `${product[end].title}: ${act}${peer || act !== "open" ? "" : " alone"}`;
      if (act === "open" && !peer) continue;
      await t.step(title, async () => {
        const { options, before } = { options: optionsOf(product), before: product.fits ?? 2 };
        const task = {
          product: product.name,
          end,
          act,
          name: name.name,
          options,
          before,
          share: 0,
        };
        const outcomes = await child.run(
          ({ truncateEverywhere }, task) => truncateEverywhere(task),
          task,
        );
        assert(outcomes.length > 0, "it has no step");
        for (const [at, outcome] of outcomes.entries()) {
          try {
            check(outcome, act, product.name);
          } catch (error) {
            const when = `truncated before step ${at + 1}, ${outcome.before}`;
            throw new Error(`${when}: ${(error as Error).message}`, { cause: error });
          }
        }
      });
    }
    if (product.semaphore) product.sender.unlink!(name.name);
    await until("no file is left", () => name.files().length === 0);
  });
}

/** Waits whose condition zeros can make true: without a fault they are like any other bytes of a peer. */
const FOOLED = /^(topic, sender|reader\/writer lock|slot, \w+: (write|claim))/;

const WAYS: readonly (Taking & { readonly fact: string })[] = [
  { fact: "truncated to nothing", share: 0 },
  { fact: "truncated to half", share: 0.5 },
  { fact: "truncated and lengthened again", share: 0, regrows: true },
];

for (const where of ["process", "thread"] as const) {
  test(`in a ${where}, waits end when their files are truncated, and others sleep on`, async () => {
    await using party = Party.start<Tools>(new URL("./contract_child.ts", import.meta.url), where);
    for (const { fact, share, regrows } of where === "process" ? WAYS : WAYS.slice(0, 1)) {
      using name = new Name();
      using other = new Name();
      const woken = await party.run(
        ({ truncateAsleep }, task) => truncateAsleep(task),
        { name: name.name, intact: other.name, share, regrows: regrows ?? false },
      );
      assert(woken.length > 20, "some waits are missing");
      for (const { wait, ended } of woken) {
        if (regrows && FOOLED.test(wait) && ended === "ready") continue;
        const expected = wait === "the intact ring" ? "ready" : "CorruptRegionError";
        assertEquals(ended, expected, `${fact}: ${wait}`);
      }
    }
  });
}
