/**
 * Every public function and method, with every option, over what it declares and far outside: it
 * throws only documented errors, one that it refuses changes nothing, and nothing stays behind.
 *
 * `deno task test:input` runs 20 times as many. A failure prints the seed and the smallest calls.
 *
 * These tests count the descriptors of the process. So those of the tools are part of this file: in
 * one of their own they would run at the same time under `--parallel`.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as vring from "../../mod.ts";
import { now } from "../../src/os/clock.ts";
import { ranges } from "../../src/os/files.ts";
import { OBSERVER_SLICE_NS } from "../../src/region/observed.ts";
import { namespace, openHandles } from "../../src/testing/mod.ts";
import { until } from "../os/until.ts";
import { isDocumented } from "./documented.ts";
import { SCENES } from "./scenes.ts";
import "./tools.ts";
import { type Callable, Surface } from "./surface.ts";
import { argument, definitionOptionsOf, type Given, MINE } from "./values.ts";

const RUNS = Number(Deno.env.get("BAD_INPUT_RUNS") ?? 20);
const ROOT = new URL("../../", import.meta.url);
const SURFACE = new Surface(["mod.ts", "signatures.ts"], ROOT);
const OPTIONS = [...SURFACE.options, "depht"].sort();

/** Functions that change the whole process, which tests of their own cover. */
const ELSEWHERE = ["useLibrary"];

// deno-lint-ignore no-explicit-any
type Untyped = any;

/** Whether a call was refused before it began, and so may have changed nothing. */
function isRefusal(error: unknown): boolean {
  const refused = error instanceof TypeError || error instanceof RangeError;
  return refused && !/the handler returned/.test(error.message); // that ran already
}

/** A call of one of a scene's objects. */
interface Step {
  readonly at: number;
  readonly method: Callable;
  readonly given: readonly Given[];
}

/** The methods of a scene: which object, and what it takes. */
function stepsOf(scene: keyof typeof SCENES): fc.Arbitrary<Step> {
  using _names = namespace();
  using stack = new DisposableStack();
  const objects = SCENES[scene]!(stack);
  const all = objects.flatMap((object, at) =>
    [...SURFACE.membersOf(object).methods.values()].map((method) => ({ at, method }))
  );
  return fc.constantFrom(...all).chain(({ at, method }) =>
    fc.tuple(...method.parameters.map((name) => argument(name, OPTIONS)))
      .map((given) => {
        const step = { at, method, given };
        return { ...step, [fc.toStringMethod]: () => shown(step) };
      })
  );
}

/** The values of all getters, to compare. */
function stateOf(objects: readonly object[]): string {
  const all = objects.map((object) =>
    [...SURFACE.membersOf(object).getters].map((name) => {
      try {
        const value = (object as Untyped)[name];
        return [name, ArrayBuffer.isView(value) ? value.byteLength : value];
      } catch (error) {
        assert(isDocumented(error), `${name}: ${error}`);
        return [name, `${error}`];
      }
    })
  );
  return JSON.stringify(all, (_, value) => typeof value === "bigint" ? `${value}n` : value);
}

/**
 * Lets observers look again, after regions came or went. They do so at most once a slice, and from
 * then on their getters stay the same.
 */
async function settle(objects: readonly object[]): Promise<void> {
  if (!objects.some((object) => object.constructor.name.endsWith("Observer"))) return;
  const end = now() + OBSERVER_SLICE_NS;
  await until("a slice of observers is over", () => now() > end);
  stateOf(objects); // they look
}

/** The files of the namespace, and the descriptors and mapped ranges of this process. */
function held(prefix: string): { files: string[]; descriptors: number; mapped: number } {
  const files = [...Deno.readDirSync("/dev/shm")].map(({ name }) => name)
    .filter((name) => name.includes(prefix) && !name.startsWith("sem."));
  const descriptors = [...Deno.readDirSync("/proc/self/fd")].length;
  return { files: files.sort(), descriptors, mapped: ranges().mapped };
}

/** Uses what a call returned, with impossible numbers, and gives it back. */
async function giveBack(result: Untyped): Promise<void> {
  if (result === null || typeof result !== "object" || ArrayBuffer.isView(result)) return;
  for (const method of ["publish", "ack"]) {
    if (typeof result[method] !== "function") continue;
    if (method === "ack" && result[Symbol.iterator] === undefined) continue; // of one message
    for (const wrong of [-1, NaN, 1.5, 2 ** 53, "1", {}]) {
      let error: unknown;
      try {
        result[method](wrong);
      } catch (thrown) {
        error = thrown;
      }
      assert(isDocumented(error), `${method}(${String(wrong)}): ${error}`);
    }
  }
  if (typeof result.cancel === "function") await result.cancel();
  if (typeof result.return === "function") await result.return();
  else if (typeof result[Symbol.dispose] === "function") result[Symbol.dispose]();
  else if (Array.isArray(result)) { for (const one of result) await giveBack(one); }
}

/** Returns what ends a server's loop: its refusal, or else its close. */
async function endOf(serving: Promise<void>, server: Disposable): Promise<unknown> {
  let first: unknown = "serves";
  const ended = serving.then(() => undefined, (error) => error).then((end) => first = end);
  await new Promise((resolve) => setTimeout(resolve, 0)); // a refusal is there by now
  if (first !== "serves") return first;
  server[Symbol.dispose]();
  return await ended;
}

/** Takes one step; returns the error, and gives back what it returned. */
async function take(objects: readonly object[], { at, method, given }: Step): Promise<unknown> {
  try {
    const result = (objects[at] as Untyped)[method.name](...given.map((one) => one.make()));
    if (method.name === "serve") return await endOf(result, objects[at] as Untyped);
    if (method.name === "toWritableStream") return await result.abort(MINE).catch(() => {});
    await giveBack(await result);
    return undefined;
  } catch (error) {
    return error;
  }
}

function shown({ at, method, given }: Step): string {
  return `object ${at}: ${method.name}(${given.map(({ text }) => text).join(", ")})`;
}

/**
 * Runs something in a namespace of its own. Afterwards no handle is open, and the files, descriptors
 * and mapped ranges are those of before. The isolate makes a few things at their first use and keeps
 * them; so what is left over counts only if it grows each time.
 */
async function leavingNothing(what: string, act: (prefix: string) => Promise<void>): Promise<void> {
  for (let time = 1;; time++) {
    using names = namespace();
    const before = held(names.prefix);
    await act(names.prefix);
    assertEquals(openHandles().map(({ what }) => what), [], what);
    names[Symbol.dispose]();
    const after = held(names.prefix);
    const isSame = JSON.stringify(after) === JSON.stringify(before);
    if (!isSame && time < 4) continue;
    assertEquals(after, before, what);
    return;
  }
}

for (const scene of Object.keys(SCENES)) {
  Deno.test(`${scene}: bad input is refused, and changes nothing`, async () => {
    const steps = fc.array(stepsOf(scene), { minLength: 1, maxLength: 6 });
    const property = fc.asyncProperty(
      steps,
      (all) =>
        leavingNothing(all.map(shown).join("\n"), async (prefix) => {
          using stack = new DisposableStack();
          const objects = SCENES[scene]!(stack);
          for (const step of all) {
            const state = stateOf(objects);
            const { files } = held(prefix);
            const error = await take(objects, step);
            if (`${held(prefix).files}` !== `${files}`) await settle(objects);
            if (error === undefined) continue;
            assert(isDocumented(error), `${shown(step)}: ${Deno.inspect(error)}`);
            // A batch sends what comes before the value that it refuses, as documented.
            if (!isRefusal(error) || /Batch/.test(step.method.name)) continue;
            assertEquals(stateOf(objects), state, `${shown(step)}: ${error}`);
            assertEquals(held(prefix).files, files, `${shown(step)}: ${error}`);
          }
        }),
    );
    await fc.assert(property, { numRuns: RUNS });
  });
}

/** The classes that programs make objects of. */
const CONSTRUCTORS: readonly Callable[] = [
  { name: "MirrorRing", parameters: ["minCapacity", "options"], needed: 1 },
  { name: "LeapfrogRing", parameters: ["minCapacity", "options"], needed: 1 },
  { name: "Listener", parameters: [], needed: 0 },
];

/** Calls an exported function or constructor, and uses up what it makes. */
async function make(name: string, given: readonly Given[]): Promise<void> {
  const values = given.map((one) => one.make());
  const isClass = CONSTRUCTORS.some((one) => one.name === name);
  const exported = (vring as Untyped)[name];
  const made = isClass ? new exported(...values) : exported(...values);
  if (made === undefined || Array.isArray(made)) return;
  await giveBack(await made);
  const openers = ["open", "writer", "producer", "publisher", "server"];
  const opener = openers.find((method) => typeof made?.[method] === "function");
  if (opener === undefined) return;
  try {
    made[opener]()[Symbol.dispose]();
  } finally {
    made.unlink();
  }
}

for (const callable of [...SURFACE.functions.values(), ...CONSTRUCTORS]) {
  const { name, parameters } = callable;
  if (ELSEWHERE.includes(name)) continue;
  const isWait = name.startsWith("wait");
  Deno.test(`${name}(): bad input is refused, and changes nothing`, async () => {
    const values = parameters.map((parameter) =>
      parameter === "options" && !isWait
        ? definitionOptionsOf(OPTIONS)
        : argument(parameter, OPTIONS)
    );
    const property = fc.asyncProperty(fc.tuple(...values), (given) => {
      const call = `${name}(${given.map(({ text }) => text).join(", ")})`;
      return leavingNothing(call, async (prefix) => {
        const before = held(prefix);
        try {
          await make(name, given);
        } catch (error) {
          assert(isDocumented(error), `${call}: ${Deno.inspect(error)}`);
          assertEquals(held(prefix), before, `${call}: ${error}`);
        }
      });
    });
    await fc.assert(property, { numRuns: RUNS });
  });
}

Deno.test("the scenes have an object of every documented class", () => {
  using _names = namespace();
  using stack = new DisposableStack();
  const seen = new Set<string>();
  for (const scene of Object.values(SCENES)) {
    for (const object of scene(stack)) seen.add(object.constructor.name);
  }
  const bases = [
    "Receiver",
    "MessageReceiver",
    "MessageSender",
    "Sender",
    "RingHandle",
    "WindowedRing",
  ];
  const abstract = [...bases, "CircularReceiver", "RingDefinition", "Definition", "SlotReader"];
  const results = ["SlotPeek"]; // what peek() returns
  const missing = SURFACE.classes.filter((name) => !seen.has(name));
  assertEquals(missing.sort(), [...abstract, ...results].sort());
  assert(SURFACE.options.size > 30, `${SURFACE.options.size} options`);
});
