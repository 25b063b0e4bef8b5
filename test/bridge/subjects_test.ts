/** Subjects: vectors, and for any names that they come back unchanged. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { listedIn } from "../../src/bridge/listed.ts";
import { VringError } from "../../src/errors.ts";
import {
  covers,
  partOf,
  placeOf,
  ROOTS,
  SUBJECT_MAX,
  subjectOf,
  subjectsOf,
  tokenOf,
} from "../../src/bridge/subjects.ts";
import { matcher } from "../../src/region/pattern.ts";

const VECTORS: [part: string, token: string][] = [
  ["imu", "imu"],
  ["", "%"],
  ["*", "%2A"],
  [">", "%3E"],
  ["%", "%25"],
  ["%2A", "%252A"],
  ["rig.1", "rig%2E1"],
  ["a b", "a%20b"],
  ["$JS", "%24JS"],
  ["é", "%C3%A9"],
  ["\r\n", "%0D%0A"],
  ["A_b-9", "A_b-9"],
];

Deno.test("tokenOf() writes each part as one token, and partOf() reads it", () => {
  for (const [part, token] of VECTORS) {
    assertEquals(tokenOf(part), token);
    assertEquals(partOf(token), part);
  }
});

Deno.test("partOf() accepts no token that tokenOf() does not make", () => {
  for (const token of ["", "%%", "%2", "%2a", "%41", "a.b", "*", ">", "%FF", "%C3", "é", "a b"]) {
    assertEquals(partOf(token), undefined, token);
  }
  assertThrows(() => tokenOf("\ud800"), TypeError, "half of a character is missing");
});

Deno.test("subjects of any names come back, are valid, and differ where the names differ", () => {
  const part = fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.constantFrom("*", ">", ""))
    .filter((text) => text.isWellFormed());
  const place = fc.record({
    realm: part,
    host: part,
    name: fc.array(part.filter((text) => !text.includes("/")), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join("/")),
  });
  const kind = fc.constantFrom(...Object.keys(ROOTS) as (keyof typeof ROOTS)[]);
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(kind, place, (kind, place) => {
      const subject = subjectOf(kind, place);
      assertEquals(placeOf(kind, subject), { ...place });
      assert(
        subject.split(".").slice(2).every((token) => /^[A-Za-z0-9%_-]+$/.test(token)),
        subject,
      );
      const text = JSON.stringify([kind, place]);
      assertEquals(seen.get(subject) ?? text, text);
      seen.set(subject, text);
    }),
    { numRuns: 60 },
  );
});

Deno.test("subjectsOf() covers every name that the pattern matches", () => {
  const word = fc.constantFrom("a", "b", "ab", "cam", "left", "x.y");
  const name = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const patternPart = fc.oneof(word, fc.constantFrom("*", "**", "c*", "?", "a?"));
  const pattern = fc.array(patternPart, { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("/"));
  let matched = 0;
  fc.assert(
    fc.property(pattern, name, (pattern, name) => {
      if (!matcher(pattern)(name)) return;
      matched++;
      const subject = subjectOf("topic", { realm: "lab", host: "h", name });
      assert(covers(subjectsOf("topic", "lab", pattern), subject), `${pattern} ${name}`);
    }),
    { numRuns: 3000 },
  );
  assert(matched > 100, `${matched}`);
});

Deno.test("covers() follows the wildcards of NATS", () => {
  const cases: [string, string, boolean][] = [
    ["a.b", "a.b", true],
    ["a.*", "a.b", true],
    ["a.*", "a.b.c", false],
    ["a.>", "a", false],
    ["a.>", "a.b.c", true],
    ["*.b", "a.c", false],
    ["a.b.c", "a.b", false],
  ];
  for (const [wide, subject, expected] of cases) {
    assertEquals(covers(wide, subject), expected, wide);
  }
});

Deno.test("a subject that is longer than a server reads is refused", () => {
  const name = "/".repeat(SUBJECT_MAX / 2);
  assertThrows(
    () => subjectOf("topic", { realm: "lab", host: "a", name }),
    VringError,
    "servers accept 3840; use shorter names",
  );
});

Deno.test("a bridge refuses patterns that match nothing it could carry", () => {
  for (const text of ["spsc:ring", "a b", "", "mpsc:", "cam/[", "slot:robot", "slot:/robot"]) {
    assertThrows(() => listedIn(text), TypeError, `Cannot bridge ${JSON.stringify(text)}: `);
  }
  for (const text of ["**", "/cam/**", "cam/left?", "slot:robot/*", "slot:**", "calls:find"]) {
    listedIn(text);
  }
});
