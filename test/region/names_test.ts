/** The names of regions and topics, and the files behind them. */

import { assertEquals, assertNotEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  DIRECTORY,
  directoryOf,
  fileNameOf,
  fileOutside,
  parseFileName,
  pathInside,
  regionPath,
  topicPath,
  useDirectory,
  usePrefix,
} from "../../src/region/names.ts";

Deno.test("regionPath() puts kind and name into /dev/shm", () => {
  assertEquals(regionPath("spsc", "camera-1.left_eye"), "/dev/shm/vring.spsc.camera-1.left_eye");
  assertEquals(regionPath("a_9", "..."), "/dev/shm/vring.a_9....");
  assertEquals(regionPath("spsc", "A"), "/dev/shm/vring.spsc.A");
  assertEquals(regionPath("spsc", "z".repeat(200)), `/dev/shm/vring.spsc.${"z".repeat(200)}`);
});

Deno.test("regionPath() ignores one leading slash", () => {
  assertEquals(regionPath("spsc", "/demo"), regionPath("spsc", "demo"));
  assertEquals(regionPath("spsc", `/${"z".repeat(200)}`), regionPath("spsc", "z".repeat(200)));
});

const BAD_NAMES: [name: string, says: string][] = [
  ["", "it is empty"],
  ["/", "it is empty"],
  [".", "mean directories"],
  ["..", "mean directories"],
  ["/.", "mean directories"],
  ["/..", "mean directories"],
  ["z".repeat(201), "201 characters; use at most 200"],
  [`/${"z".repeat(201)}`, "201 characters; use at most 200"],
  ["//a", 'contains "/"'],
  ["a/b", 'contains "/", and only topics and slots have parts'],
  ["a/", 'contains "/"'],
  ["../escape", 'contains "/"'],
  ["a~b", 'contains "~"'],
  [" ", 'contains " "'],
  [" a", 'contains " "'],
  ["a\n", 'contains "\\n"'],
  ["a\tb", 'contains "\\t"'],
  ["a\0", 'contains "\\u0000"'],
  ["\0", 'contains "\\u0000"'],
  ["größe", 'contains "ö"'],
  ["名", 'contains "名"'],
  ["a😀", 'contains "😀"'],
  ["a\ud800", "contains"],
  ["a\u200bb", "contains"],
  ["ａ", 'contains "ａ"'],
  ["a:b", 'contains ":"'],
  ["%2e%2e", 'contains "%"'],
];

for (const [name, says] of BAD_NAMES) {
  const shown = name.length > 20 ? `a name of ${name.length} characters` : JSON.stringify(name);
  Deno.test(`regionPath() refuses ${shown}`, () => {
    const { message } = assertThrows(() => regionPath("spsc", name), TypeError, says);
    assertStringIncludes(message, `Cannot use ${JSON.stringify(name)} as a name: `);
    const ring = () => regionPath("spsc", name, "the name of a ring");
    assertThrows(ring, TypeError, `${JSON.stringify(name)} as the name of a ring: `);
  });
}

Deno.test("topicPath() takes slashes as parts of the name", () => {
  assertEquals(topicPath("vdds", "camera/front"), "/dev/shm/vring.vdds.camera~front");
  assertEquals(topicPath("vdds", "/camera/front"), "/dev/shm/vring.vdds.camera~front");
  assertEquals(topicPath("vdds", "plain"), regionPath("vdds", "plain"));
});

Deno.test("topicPath() keeps topics apart that a careless escape would not", () => {
  const topics = ["a/b", "a-b", "a.b", "a_b", "ab", "a/B", "A/b", "a/b/c", "ab/c"];
  assertEquals(new Set(topics.map((topic) => topicPath("vdds", topic))).size, topics.length);
});

const BAD_TOPICS: [topic: string, says: string][] = [
  ["", "it is empty"],
  ["/", "it is empty"],
  ["//", "two slashes in a row"],
  ["///", "two slashes in a row"],
  ["//a", "two slashes in a row"],
  ["a//b", "two slashes in a row"],
  ["a//", "two slashes in a row"],
  ["a/", "it ends with a slash"],
  ["/a/b/", "it ends with a slash"],
  [".", "mean directories"],
  ["/..", "mean directories"],
  ["a/../b", 'the parts "." and ".." mean directories'],
  ["./a", "mean directories"],
  ["a/.", "mean directories"],
  ["a~b", 'contains "~"'],
  ["a b", 'contains " "'],
  ["a\0", 'contains "\\u0000"'],
  ["ü/b", 'contains "ü"'],
  ["z".repeat(201), "201 characters; use at most 200"],
];

for (const [topic, says] of BAD_TOPICS) {
  const shown = topic.length > 20 ? `a topic of ${topic.length} characters` : JSON.stringify(topic);
  Deno.test(`topicPath() refuses ${shown}`, () => {
    const { message } = assertThrows(() => topicPath("vdds", topic), TypeError, says);
    assertStringIncludes(message, `Cannot use ${JSON.stringify(topic)} as a topic: `);
  });
}

/** Mostly names that could be mistaken for each other. */
const TOPIC = fc.string({
  unit: fc.constantFrom(..."ab/.-_~ 0é"),
  minLength: 0,
  maxLength: 8,
});

const bare = (topic: string) => topic.replace(/^\//, "");

function pathOr(make: () => string): string | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

Deno.test("topicPath() gives no two topics one file", () => {
  let compared = 0;
  fc.assert(
    fc.property(TOPIC, TOPIC, (a, b) => {
      const [pathA, pathB] = [a, b].map((topic) => pathOr(() => topicPath("vdds", topic)));
      if (pathA === undefined || pathB === undefined || bare(a) === bare(b)) return;
      compared++;
      assertNotEquals(pathA, pathB);
    }),
    { numRuns: 5000 },
  );
  if (compared < 100) throw new Error(`only ${compared} pairs were compared`);
});

Deno.test("topicPath() stays in the directory, in a name that the file system takes", () => {
  fc.assert(
    fc.property(TOPIC, (topic) => {
      const path = pathOr(() => topicPath("vdds", topic));
      if (path === undefined) return;
      assertEquals(path.lastIndexOf("/"), DIRECTORY.length);
      assertEquals(new TextEncoder().encode(fileNameOf(path)).length <= 255, true);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseFileName() gives back the kind and the topic or name", () => {
  fc.assert(
    fc.property(fc.constantFrom("spsc", "a_9", "x"), TOPIC, (kind, topic) => {
      const path = pathOr(() => topicPath(kind, topic));
      if (path === undefined) return;
      assertEquals(parseFileName(fileNameOf(path)), { kind, name: bare(topic) });
    }),
    { numRuns: 2000 },
  );
  assertEquals(parseFileName(fileNameOf(regionPath("spsc", "/v1.2"))), {
    kind: "spsc",
    name: "v1.2",
  });
});

const NOT_OURS = [
  "",
  "vring",
  "vring.",
  "vring.spsc",
  "vring.spsc.",
  "vring..demo",
  "vring.Spsc.demo",
  "vring.sp-sc.demo",
  "vring.spsc.de mo",
  "vring.spsc.demo\n",
  "vring.spsc.dé",
  "Vring.spsc.demo",
  " vring.spsc.demo",
  "xvring.spsc.demo",
  "sem.demo",
];

for (const fileName of NOT_OURS) {
  Deno.test(`parseFileName() does not take ${JSON.stringify(fileName)} for a region`, () => {
    assertEquals(parseFileName(fileName), undefined);
  });
}

Deno.test("usePrefix() puts names behind a prefix, and hides those without it", () => {
  const outside = regionPath("spsc", "demo");
  usePrefix("t1.");
  try {
    const inside = regionPath("spsc", "demo");
    assertEquals(inside, "/dev/shm/vring.spsc.t1.demo");
    assertEquals(topicPath("topic", "/a/b"), "/dev/shm/vring.topic.t1.a~b");
    assertEquals(parseFileName(fileNameOf(inside)), { kind: "spsc", name: "demo" });
    assertEquals(parseFileName(fileNameOf(outside)), undefined);
    const fileName = fileNameOf(outside);
    assertEquals([pathInside(fileName), fileOutside(inside)], [inside, fileName]);
  } finally {
    usePrefix("");
  }
  assertEquals([regionPath("spsc", "demo"), pathInside(fileNameOf(outside))], [outside, outside]);
});

Deno.test("useDirectory() moves the names without a directory of their own", () => {
  useDirectory("/mnt/shm//");
  try {
    const path = regionPath("spsc", "demo");
    assertEquals(path, "/mnt/shm/vring.spsc.demo");
    assertEquals([directoryOf(path), fileNameOf(path)], ["/mnt/shm", "vring.spsc.demo"]);
    assertEquals(topicPath("topic", "a/b", "a topic", "/run/"), "/run/vring.topic.a~b");
    assertEquals(regionPath("spsc", "demo", undefined, "/"), "/vring.spsc.demo");
    usePrefix("t1.");
    assertEquals(pathInside("vring.spsc.demo"), "/mnt/shm/vring.spsc.t1.demo");
  } finally {
    usePrefix("");
    useDirectory();
  }
  assertEquals(regionPath("spsc", "demo"), "/dev/shm/vring.spsc.demo");
});
