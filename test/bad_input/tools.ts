/**
 * The functions of `/record`, `/live`, `/bridge` and `/testing`, and the command line, over what they
 * declare and far outside: they throw only documented errors, and nothing stays behind.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as bridges from "../../src/bridge/mod.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { view } from "../../src/live/mod.ts";
import * as recording from "../../src/record/mod.ts";
import { checkLeaks, detachViews, namespace, openHandles } from "../../src/testing/mod.ts";
import { vring } from "../cli/vring.ts";
import { isDocumented } from "./documented.ts";
import { Surface } from "./surface.ts";
import { ANY, type Given, object, oneOf } from "./values.ts";

const RUNS = Number(Deno.env.get("BAD_INPUT_RUNS") ?? 25);
const ROOT = new URL("../../", import.meta.url);
const ENTRIES = ["record", "live", "bridge", "testing"].map((name) => `src/${name}/mod.ts`);

type Arguments = fc.Arbitrary<readonly Given[]>;

/** A value that is mostly one of these, or any other. */
function mostly(...values: readonly unknown[]): fc.Arbitrary<Given> {
  return fc.oneof({ weight: 3, arbitrary: oneOf(...values) }, ANY);
}

/** The value of an option that may be left out, mostly one of these. */
const maybe = (...values: readonly unknown[]) => fc.option(mostly(...values), { nil: undefined });

/** A signal that has aborted already; or none, which is an error where one must be. */
const UNTIL = oneOf(...Array(8).fill(AbortSignal.abort()), null, 5, {}, "until");

/** Options, each a value or left out; and values that are no options. */
function options(
  values: Readonly<Record<string, fc.Arbitrary<Given | undefined>>>,
): fc.Arbitrary<Given> {
  const all = fc.tuple(
    ...Object.entries(values).map(([name, value]) => value.map((given) => [name, given] as const)),
  );
  const given = all.map((pairs) =>
    object(pairs.filter((pair): pair is readonly [string, Given] => pair[1] !== undefined))
  );
  const strange = { weight: 1, arbitrary: oneOf(null, 5, "options", [], new Uint8Array(3)) };
  const unknown = { weight: 1, arbitrary: oneOf({ depht: 1, until: AbortSignal.abort() }) };
  return fc.oneof({ weight: 6, arbitrary: given }, strange, unknown);
}

/** A network that nobody else uses. */
const CARRIER = new bridges.Loopback().connect();
const SINK = { write() {}, truncate() {} };
const MAGIC = Uint8Array.from([0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a]);
const EMPTY = (offset: number) => offset === 0 ? MAGIC : new Uint8Array(0);
const READER = new recording.McapReader(EMPTY, "an empty file");

const named = (name: string) => name;
const nothing = () => {};
const flags = () => maybe(true, false);
const numbers = () => maybe(1, 1000, 0, -1, NaN, Infinity);

/** Every function and class of these entries: its arguments, and how it is called. */
const CALLS: Readonly<Record<string, [Arguments, (...given: never[]) => unknown]>> = {
  record: [
    fc.tuple(
      mostly(SINK),
      options({
        matches: mostly(() => true),
        until: UNTIL,
        observe: flags(),
        foxglove: flags(),
        compress: flags(),
        chunkBytes: numbers(),
        flushMs: numbers(),
      }),
    ),
    recording.record,
  ],
  replay: [
    fc.tuple(
      mostly(READER),
      options({
        rate: numbers(),
        startMs: numbers(),
        loop: flags(),
        nameOf: maybe(named),
        until: UNTIL,
        waitFor: numbers(),
        pace: maybe(new recording.Pace()),
        onMessage: maybe(nothing),
      }),
    ),
    recording.replay,
  ],
  McapReader: [
    fc.tuple(mostly(EMPTY, () => "bytes", () => new Uint8Array(3)), mostly("a file")),
    (...given) => [...new recording.McapReader(...given as never as [never, never]).messages()],
  ],
  Pace: [fc.tuple(mostly(true, false)), (...given) => new recording.Pace(...given)],
  view: [
    fc.tuple(options({
      port: oneOf(0, 0, 0, -1, 1.5, 70_000, "0", null),
      hostname: maybe("127.0.0.1", "no host", ""),
      token: maybe("token", false, ""),
      names: maybe([], ["a.example"], [5]),
      origins: maybe([], ["https://a.example"], 5),
      matches: maybe(() => false),
      publish: flags(),
      imageSize: maybe(() => undefined),
      imageBytes: numbers(),
      clientBytes: numbers(),
      everyMs: numbers(),
    })),
    (...given) => view(...given),
  ],
  bridge: [
    fc.tuple(options({
      carrier: mostly(CARRIER),
      host: mostly("a", "a host", ""),
      realm: maybe("default", "a.b", ""),
      exports: maybe([], ["**"], ["slot:a"], ["nothing:a"]),
      imports: maybe([], ["**"], [5]),
      nameOf: maybe(named),
      reliable: flags(),
      keptMax: numbers(),
      slotHistory: numbers(),
      transit: flags(),
      hopsMax: numbers(),
      inFlightMax: numbers(),
      chunkBytes: numbers(),
      until: UNTIL,
      onEvent: maybe(nothing),
    })),
    bridges.bridge,
  ],
  remoteRealm: [
    fc.tuple(
      mostly(CARRIER),
      options({ realm: maybe("default", ""), waitMs: oneOf(0, 1, -1, NaN, "1", 5n) }),
    ),
    bridges.remoteRealm,
  ],
  connectNats: [
    fc.tuple(options({
      servers: maybe("127.0.0.1:1", ["127.0.0.1:1"], [], [5], ""),
      client: maybe({}, { user: "a" }, { user: 5 }),
      signal: UNTIL,
      onRetry: maybe(nothing),
    })),
    bridges.connectNats,
  ],
  natsContext: [
    fc.tuple(
      mostly(
        "{}",
        '{"url":"nats://a"}',
        '{"creds":"/a"}',
        '{"nkey":"/a"}',
        '{"cert":"/a"}',
        "[",
        "null",
      ),
      mostly("/context"),
      mostly(() => new Uint8Array(3), () => "bytes", () => MAGIC),
    ),
    bridges.natsContext,
  ],
  Loopback: [fc.tuple(ANY), () => new bridges.Loopback().connect()],
  namespace: [
    fc.tuple(mostly("a", "b/c", "x".repeat(40)), options({ directory: maybe("/dev/shm", "shm") })),
    (...given) => namespace(...given),
  ],
  checkLeaks: [
    fc.tuple(mostly(nothing, async () => await undefined)),
    (...given) => checkLeaks(...given as never as [() => void])(),
  ],
  openHandles: [fc.tuple(ANY), openHandles],
  detachViews: [fc.tuple(mostly(true, false)), (...given) => detachViews(...given)],
};

/** Gives back what a call made. */
async function end(made: unknown): Promise<void> {
  const { [Symbol.asyncDispose]: endLater, [Symbol.dispose]: endNow } = Object(made);
  if (typeof endLater === "function") await endLater.call(made);
  else if (typeof endNow === "function") endNow.call(made);
}

for (const [name, [values, call]] of Object.entries(CALLS)) {
  Deno.test(`${name}: bad input is refused, and leaves nothing`, async () => {
    const property = fc.asyncProperty(values, async (given) => {
      const text = `${name}(${given.map(({ text }) => text).join(", ")})`;
      const before = openHandles();
      try {
        await end(await call(...given.map((one) => one.make()) as never[]));
      } catch (error) {
        assert(isDocumented(error), `${text}: ${Deno.inspect(error)}`);
      } finally {
        detachViews(false);
      }
      assertEquals(openHandles(), before, text);
    });
    await fc.assert(property, { numRuns: RUNS });
  });
}

Deno.test("every function and class of the tools' entries is called with bad input", () => {
  const surface = new Surface(ENTRIES, ROOT);
  const all = [...surface.functions.keys(), ...surface.classes];
  const made = ["LoopbackCarrier", "Namespace", "NatsCarrier", "View"]; // by the functions above
  assertEquals(Object.keys(CALLS).sort(), all.filter((name) => !made.includes(name)).sort());
});

const WORDS = [
  "a",
  "**",
  "-",
  "--",
  "",
  "5",
  "-1",
  "x".repeat(300),
  "\u0000",
  "=",
  "/",
  "..",
  "NaN",
  "1e300",
];

/** Command lines of the words and options of all commands, in any order. */
const LINE = fc.constantFrom(...COMMANDS).chain(({ name, options = {} }) => {
  const flags = ["--json", "--help", "--", ...Object.keys(options).map((key) => `--${key}`)];
  const word = fc.oneof(
    fc.constantFrom(...WORDS),
    fc.constantFrom(...flags),
    fc.tuple(fc.constantFrom(...flags), fc.constantFrom(...WORDS)).map((both) => both.join("=")),
    fc.string({ unit: "binary", maxLength: 4 }),
  );
  return fc.array(word, { maxLength: 4 }).map((words) => [name, ...words]);
});

/** Commands that listen, connect or write files, which tests of their own cover. */
const ACTING = ["view", "bridge", "record", "bench"];

Deno.test("the command line ends with a documented code, whatever the words", async () => {
  const directory = await Deno.makeTempDir({ dir: "/dev/shm" });
  try {
    const property = fc.asyncProperty(LINE, async (words) => {
      if (ACTING.includes(words[0]!)) words = [words[0]!, "--help", ...words.slice(1)];
      const where = ["--timeout", "0.01", "--directory", directory];
      const { code, err } = await vring([words[0]!, ...where, ...words.slice(1)]);
      assert([0, 1, 2].includes(code), `${words}: ${code}`);
      assert(code !== 2 || err !== "", `${words}: no reason`);
    });
    await fc.assert(property, { numRuns: 4 * RUNS });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
