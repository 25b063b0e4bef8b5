/**
 * The rules that keep the source readable in the order of the layer table, checked on the real
 * files. For every rule, a test also gives it a file that breaks it.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";

/** The layers from the ground up: each may import only from earlier ones, or from itself. */
const LAYERS = [
  "src/arguments.ts",
  "src/arrays.ts",
  "src/errors.ts",
  "src/native",
  "src/os",
  "src/layout",
  "src/origin.ts",
  "src/memory",
  "src/region",
  "src/wait",
  "src/codec.ts",
  "src/struct.ts",
  "src/described.ts",
  "src/message.ts",
  "src/definition.ts",
  "src/encoder.ts",
  "src/decoder.ts",
  "src/landing.ts",
  "src/claim.ts",
  "src/in_place.ts",
  "src/streams.ts",
  "src/receiver.ts",
  "src/lane",
  "src/mirror_ring",
  "src/spsc",
  "src/mpsc",
  "src/calls",
  "src/circular",
  "src/vdds",
  "src/babus",
  "src/shared",
  "src/testing",
  "src/inspect",
  "src/tool_rules.ts",
  "src/record",
  "src/live",
  "src/bridge",
  "src/cli",
  "signatures.ts",
  "mod.ts",
];

/** A product never imports another one. */
const PRODUCTS = [
  "src/mirror_ring",
  "src/spsc",
  "src/mpsc",
  "src/calls",
  "src/circular",
  "src/vdds",
  "src/babus",
  "src/shared",
];

/** The leaves that the explorer replaces; only they may call the native library. */
const LEAVES = ["src/native/", "src/os/", "src/memory/word.ts"];

/** The files that may sleep: asynchronous calls and `try` methods never do. */
const SLEEPERS = ["src/os/clock.ts", "src/region/poll.ts", "src/shared/semaphore_lock.ts"];

/** These two see everything, and nothing below sees them. */
const FACES = ["src/cli", "mod.ts", "signatures.ts"];

/** The entry point for tests of programs, which nothing below sees either. */
const TESTING = "src/testing/mod.ts";

const VAGUE_NAMES = ["util", "utils", "common", "types"];
const LINES_MAX = 500;
const GENERATED = "src/native/prebuilt.ts";

/** The sources by path from the root of the repository. */
type Sources = Readonly<Record<string, string>>;

/** One sentence for each place where a rule is broken. */
function violations(sources: Sources): string[] {
  return Object.entries(sources).flatMap(([path, text]) => [
    ...namingViolations(path),
    ...shapeViolations(path, text),
    ...seamViolations(path, codeOf(text)),
    ...importsOf(text).flatMap((specifier) => [...importViolations(path, specifier, sources)]),
  ]);
}

function* namingViolations(path: string): Generator<string> {
  if (layerOf(path) === -1) yield `${path}: belongs to no layer`;
  for (const part of path.split("/")) {
    if (VAGUE_NAMES.includes(part.replace(/\.ts$/, ""))) yield `${path}: "${part}" says nothing`;
  }
}

function* shapeViolations(path: string, text: string): Generator<string> {
  const lines = text.trimEnd().split("\n").length;
  if (lines > LINES_MAX && path !== GENERATED) {
    yield `${path}: has ${lines} lines, ${LINES_MAX} are the limit`;
  }
  const head = /^\s*\/\*\*[\s\S]*?\*\//.exec(text)?.[0];
  if (!head?.includes("@module")) yield `${path}: does not begin with a module comment`;
}

function* seamViolations(path: string, code: string): Generator<string> {
  if (/\bdlopen\b/.test(code) && /\bDeno\b/.test(code) && path !== "src/native/dlopen.ts") {
    yield `${path}: only src/native/dlopen.ts loads a library`;
  }
  if (/\bAtomics\b/.test(code) && path !== "src/memory/word.ts") {
    yield `${path}: only src/memory/word.ts uses Atomics`;
  }
  if (/\bsleepSync\b/.test(code) && !SLEEPERS.includes(path)) {
    yield `${path}: sleeps, which only a call that ends in Sync may; use retrySync or pollUntil`;
  }
}

function* importViolations(path: string, specifier: string, sources: Sources): Generator<string> {
  if (specifier.startsWith("node:") && /^src\/(cli|record)\//.test(path)) return;
  if (specifier.startsWith("npm:@nats-io/") && path === "src/bridge/nats_client.ts") return;
  if (!/^\.\.?\//.test(specifier)) {
    yield `${path}: imports "${specifier}", and there are no dependencies`;
    return;
  }
  const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
  if (!(target in sources)) {
    yield `${path}: imports ${target}, which is not there`;
    return;
  }
  if (
    target.startsWith("src/native/") && !isFace(path) &&
    !LEAVES.some((leaf) => path.startsWith(leaf))
  ) {
    yield `${path}: imports ${target}, which only the leaves may`;
  }
  const [from, to] = [layerOf(path), layerOf(target)];
  if (to > from && !isFace(path)) yield `${path}: imports ${target}, which is not below it`;
  if (to < from && isProduct(path) && isProduct(target)) {
    yield `${path}: imports ${target}, and products do not import each other`;
  }
}

function layerOf(path: string): number {
  return LAYERS.findIndex((layer) => path === layer || path.startsWith(`${layer}/`));
}

function isFace(path: string): boolean {
  return FACES.includes(LAYERS[layerOf(path)] ?? "");
}

function isProduct(path: string): boolean {
  return PRODUCTS.includes(LAYERS[layerOf(path)] ?? "");
}

const COMMENT = String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`;
const STRING = String.raw`"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|${"`(?:\\\\.|[^`\\\\])*`"}`;
const PATTERN = String
  .raw`(?<=(?:[=(,:[!&|?{};]|\breturn)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/`;

/** The text without its comments, regular expressions and, unless asked for, strings. */
function codeOf(text: string, { strings = false } = {}): string {
  return text.replace(new RegExp([COMMENT, STRING, PATTERN].join("|"), "g"), (token) => {
    if (/^["'`]/.test(token)) return strings ? token : token[0] + token[0]!;
    return " ";
  });
}

/** The modules that a module imports, re-exports or starts as a Worker, in any form. */
function importsOf(text: string): string[] {
  const forms = [
    /\b(?:import|export)\b(?:\s+type\b)?[\w\s{},*$]*?\bfrom\s*["']([^"']+)["']/g,
    /\bimport\s*["']([^"']+)["']/g,
    /\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g,
    /\bnew\s+URL\(\s*["'`]([^"'`]+\.[jt]s)["'`]\s*,\s*import\.meta\.url/g,
  ];
  const code = codeOf(text, { strings: true });
  return forms.flatMap((form) => Array.from(code.matchAll(form), ([, specifier]) => specifier!));
}

const ROOT = new URL("../", import.meta.url);

function realSources(): Sources {
  const faces = ["mod.ts", "signatures.ts"].map((path) => [path, readText(path)]);
  return { ...sourcesIn("src/"), ...Object.fromEntries(faces) };
}

function sourcesIn(folder: string): Sources {
  const sources: Record<string, string> = {};
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isDirectory) Object.assign(sources, sourcesIn(`${folder}${name}/`));
    else if (name.endsWith(".ts")) sources[folder + name] = readText(folder + name);
  }
  return sources;
}

function readText(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

Deno.test("the source keeps every rule", () => {
  assertEquals(violations(realSources()), []);
});

Deno.test("mod.ts exports every name as it is declared, so that hovers show names to import", () => {
  assertEquals(realSources()["mod.ts"]!.match(/\b\w+ as \w+/g), null);
});

Deno.test("mod.ts has at most 36 things to call, and signatures.ts has types only", async () => {
  const face = await import("../mod.ts");
  assert(Object.keys(face).length <= 36, Object.keys(face).join());
  const names = realSources()["mod.ts"]!.match(/(?<=[{,]\s*)(?:type )?\w+(?=\s*[,}])/g) ?? [];
  assert(names.length <= 95, `${names.length} exports`);
  assertEquals(Object.keys(await import("../signatures.ts")), []);
});

Deno.test("the source is all reached from mod.ts, the testing entry point or the command line", () => {
  const sources = realSources();
  const reached = new Set<string>();
  const visit = (path: string) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const specifier of importsOf(sources[path]!)) {
      if (specifier.startsWith(".")) visit(new URL(specifier, `file:///${path}`).pathname.slice(1));
    }
  };
  for (const path of Object.keys(sources)) {
    if (isFace(path) || path === TESTING) visit(path);
  }
  assertEquals(Object.keys(sources).filter((path) => !reached.has(path)), []);
});

Deno.test("mod.ts, signatures.ts and recordings never reach the bridge, which has a dependency", () => {
  const sources = realSources();
  const reached = new Set<string>();
  const visit = (path: string) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const specifier of importsOf(sources[path]!)) {
      if (specifier.startsWith(".")) visit(new URL(specifier, `file:///${path}`).pathname.slice(1));
    }
  };
  for (const path of ["mod.ts", "signatures.ts", TESTING, "src/record/mod.ts", "src/live/mod.ts"]) {
    visit(path);
  }
  assertEquals(Array.from(reached).filter((path) => path.startsWith("src/bridge/")), []);
  const users = Object.keys(sources).filter((path) =>
    !path.startsWith("src/bridge/") &&
    importsOf(sources[path]!).some((specifier) => specifier.includes("bridge/"))
  );
  assertEquals(users.sort(), [
    "src/cli/commands/bridge.ts",
    "src/cli/commands/ls.ts",
    "src/cli/network.ts",
  ]);
});

Deno.test("importsOf() finds the same imports in mod.ts and below as Deno", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "mod.ts"],
    cwd: ROOT,
    stderr: "null",
  }).output();
  interface Module {
    specifier: string;
    dependencies?: { specifier: string }[];
  }
  const modules: Module[] = JSON.parse(new TextDecoder().decode(stdout)).modules;
  const sources = realSources();
  let compared = 0;
  for (const { specifier, dependencies = [] } of modules) {
    const path = specifier.slice(ROOT.href.length);
    const expected = dependencies.map((dependency) => dependency.specifier);
    const actual = importsOf(sources[path]!).filter((found) => !isWorker(sources[path]!, found));
    assertEquals([...new Set(actual)].sort(), expected.sort(), path);
    compared += expected.length;
  }
  assert(compared > 0);
});

/** A file named only by a URL, which Deno does not count as an import. */
function isWorker(text: string, specifier: string): boolean {
  return text.includes(`new URL("${specifier}"`);
}

const HEAD = "/**\n * A module.\n *\n * @module\n */\n";

/** A small tree that keeps every rule. */
const SOUND: Sources = {
  "mod.ts": `${HEAD}export { Ring } from "./src/spsc/spsc.ts";\nimport "./src/cli/main.ts";\n`,
  "src/cli/main.ts":
    `${HEAD}import { parseArgs } from "node:util";\nimport * as all from "../lane/lane.ts";\n`,
  "src/errors.ts": `${HEAD}export class VringError extends Error {}\n`,
  "src/memory/word.ts": `${HEAD}import "../errors.ts";\nAtomics.load(words, 0);\n`,
  "src/native/dlopen.ts": `${HEAD}import type { A } from "../errors.ts";\nDeno.dlopen(path, {});\n`,
  "src/native/prebuilt.ts": HEAD + "//\n".repeat(LINES_MAX),
  "src/lane/lane.ts": `${HEAD}// Atomics and Deno.dlopen, import "npm:mentioned"\n`,
  "src/spsc/spsc.ts":
    `${HEAD}import { Word } from "../memory/word.ts";\nexport * from "../lane/lane.ts";\nconst a = "Atomics";\n`,
};

Deno.test("violations() accepts a sound tree", () => {
  assertEquals(violations(SOUND), []);
});

const BROKEN: [name: string, path: string, text: string, complaint: string][] = [
  ["an import from above", "src/memory/a.ts", 'import { Ring } from "../lane/lane.ts";', "below"],
  ["a type from above", "src/errors.ts", 'import type { Word } from "./memory/word.ts";', "below"],
  ["a chain from above", "src/os/a.ts", 'export * from "../lane/lane.ts";', "below"],
  [
    "a named chain from above",
    "src/os/a.ts",
    'export {\n  Ring,\n} from "../lane/lane.ts";',
    "below",
  ],
  ["a dynamic import", "src/os/a.ts", 'await import("../lane/lane.ts");', "below"],
  ["an import for its effects", "src/os/a.ts", 'import "../lane/lane.ts";', "below"],
  [
    "a Worker from above",
    "src/os/a.ts",
    'new Worker(new URL("../lane/lane.ts", import.meta.url));',
    "below",
  ],
  ["an import of mod.ts", "src/lane/a.ts", 'import { Ring } from "../../mod.ts";', "below"],
  ["the CLI imported", "src/babus/a.ts", 'import "../cli/main.ts";', "below"],
  [
    "an import after a quote in a pattern",
    "src/os/a.ts",
    'f(/["`]/);import "../lane/lane.ts";',
    "below",
  ],
  [
    "a way around the seam",
    "src/lane/a.ts",
    'import "../native/dlopen.ts";',
    "only the leaves may",
  ],
  [
    "a product in another product",
    "src/vdds/a.ts",
    'import type { Ring } from "../spsc/spsc.ts";',
    "products do not import each other",
  ],
  ["a missing file", "src/lane/a.ts", 'import "./gone.ts";', "not there"],
  ["an npm dependency", "src/lane/a.ts", 'import fc from "npm:fast-check@4";', "dependencies"],
  ["a JSR dependency", "mod.ts", 'export * from "jsr:@std/path";', "dependencies"],
  ["a bare dependency", "src/lane/a.ts", "import fc from 'fast-check';", "dependencies"],
  ["a remote dependency", "src/lane/a.ts", 'import "https://example.com/a.ts";', "dependencies"],
  ["a Node module", "src/lane/a.ts", 'import { open } from "node:fs";', "dependencies"],
  ["Atomics", "src/lane/a.ts", "Atomics.load(words, 0);", "word.ts uses Atomics"],
  ["Atomics by another name", "src/lane/a.ts", "const { load } = Atomics;", "word.ts uses Atomics"],
  ["a sleep", "src/lane/a.ts", "sleepSync(1);", "retrySync or pollUntil"],
  ["a second dlopen", "src/os/a.ts", 'Deno.dlopen("libc.so.6", {});', "dlopen.ts loads"],
  ["a dlopen taken out", "src/os/a.ts", "const { dlopen } = Deno;", "dlopen.ts loads"],
  ["a vague file", "src/lane/utils.ts", "", '"utils.ts" says nothing'],
  ["a vague folder", "src/lane/common/a.ts", "", '"common" says nothing'],
  ["a file of types", "src/lane/types.ts", "", '"types.ts" says nothing'],
  ["a folder without a layer", "src/extra/a.ts", "", "belongs to no layer"],
  ["a long file", "src/lane/a.ts", "//\n".repeat(LINES_MAX), "lines, 500 are the limit"],
];

for (const [name, path, text, complaint] of BROKEN) {
  Deno.test(`violations() reports ${name}`, () => {
    const [first, ...more] = violations({ ...SOUND, [path]: `${HEAD}${text}\n` });
    assertStringIncludes(first ?? "", `${path}: `);
    assertStringIncludes(first ?? "", complaint);
    assertEquals(more, []);
  });
}

Deno.test("violations() reports a file without a module comment", () => {
  for (const text of ["", "export {};\n", "/** A class. */\nexport class A {}\n"]) {
    assertEquals(violations({ ...SOUND, "src/lane/a.ts": text }), [
      "src/lane/a.ts: does not begin with a module comment",
    ]);
  }
});

/** The explorer's engine can explore other code than vring, and runs in browsers. */
const ENGINE = "test/explore/engine/";

/** Returns a sentence for each place where a file of the engine, or a test of it, breaks a rule. */
function engineViolations(path: string, text: string): string[] {
  const isTest = path.endsWith("_test.ts");
  const found: string[] = [];
  for (const specifier of importsOf(text)) {
    const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
    const isAllowed = isTest ? !target.startsWith("src/") : /^\.\/\w+\.ts$/.test(specifier);
    if (!isAllowed) found.push(`${path}: imports "${specifier}" from outside of the engine`);
  }
  const code = codeOf(text);
  if (!isTest && /\bDeno\b/.test(code)) found.push(`${path}: uses Deno, which browsers lack`);
  if (/\bexport (let|var)\b/.test(code)) found.push(`${path}: exports a variable that changes`);
  return found;
}

Deno.test("the explorer's engine imports nothing else", () => {
  const files = Object.entries(sourcesIn(ENGINE));
  assert(files.length > 10);
  assertEquals(files.flatMap(([path, text]) => engineViolations(path, text)), []);
});

Deno.test("engineViolations() reports imports that tie the engine to other code", () => {
  const cases: [name: string, text: string, complaint: string][] = [
    ["a.ts", 'import { errnoName } from "../../../src/errors.ts";', "imports"],
    ["a.ts", 'import type { Word32 } from "../leaves/word.ts";', "imports"],
    ["a.ts", 'import { setImmediate } from "node:timers";', "imports"],
    ["a.ts", "Deno.exit();", "uses Deno"],
    ["a.ts", "export let world = 1;", "exports a variable"],
    ["a_test.ts", 'import { Lock } from "../../../src/os/locks.ts";', "imports"],
  ];
  for (const [name, text, complaint] of cases) {
    const [first, ...more] = engineViolations(ENGINE + name, text);
    assertStringIncludes(first ?? "", complaint);
    assertEquals(more, []);
  }
  const sound = [["a.ts", 'import "./b.ts";'], ["a_test.ts", 'import "../leaves/word.ts";']];
  for (const [name, text] of sound) assertEquals(engineViolations(ENGINE + name!, text!), []);
});
