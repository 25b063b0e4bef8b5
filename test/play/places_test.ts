/**
 * From a stack to a source line: the line table, and the formats of the browsers.
 */

import { assertEquals } from "@std/assert";
import { sourceOf, tableOf } from "../../tutorials/stage/play/lines.ts";
import { framesOf, type Locate } from "../../tutorials/stage/play/places.ts";

Deno.test("a line table finds the source line of a line and column", () => {
  // Line 1: column 0 is a.ts:1; column 4 is a.ts:3; column 9 is b.ts:1. Line 2: none. Line 3: b.ts:2.
  const map = { sources: ["x/a.ts", "b.ts", "gone.ts"], mappings: "AAAA,IAEA,KCFA;;AACA,IDCA" };
  const table = tableOf(map, (source) => source.replace("x/", ""));
  assertEquals(table.sources, ["a.ts", "b.ts", "gone.ts"]);
  assertEquals(sourceOf(table, 1, 1), { source: "a.ts", line: 1 });
  assertEquals(sourceOf(table, 1, 4), { source: "a.ts", line: 1 });
  assertEquals(sourceOf(table, 1, 5), { source: "a.ts", line: 3 });
  assertEquals(sourceOf(table, 1, 100), { source: "b.ts", line: 1 });
  assertEquals(sourceOf(table, 2, 1), undefined);
  assertEquals(sourceOf(table, 3, 1), { source: "b.ts", line: 2 });
  assertEquals(sourceOf(table, 3, 5), { source: "a.ts", line: 3 });
  assertEquals(sourceOf(table, 9, 1), undefined);
});

Deno.test("a line table drops sources without a name", () => {
  const map = { sources: ["a.ts", "b.ts"], mappings: "AAAA,ICAA" };
  const table = tableOf(map, (source) => source === "a.ts" ? undefined : source);
  assertEquals(table.sources, ["b.ts"]);
  assertEquals(sourceOf(table, 1, 1), undefined);
  assertEquals(sourceOf(table, 1, 5), { source: "b.ts", line: 1 });
});

const locate: Locate = (url, line) =>
  url.startsWith("http://h/") ? { source: url.slice("http://h/".length), line } : undefined;

Deno.test("the frames of Chromium and Firefox are read, and those of the machine left out", () => {
  const chromium = `Error
    at Camera.#notePlace (http://h/tutorials/stage/play/film.ts:1:1)
    at Actor.operate (http://h/test/explore/engine/actor.ts:2:2)
    at Word32.load (http://h/test/explore/leaves/word.ts:3:3)
    at Doorbell.raise [as up] (http://h/src/wait/doorbell.ts:4:4)
    at new Ring (http://h/src/spsc/spsc.ts:5:5)
    at http://h/src/spsc/spsc.ts:6:6
    at async hear (http://h/src/wait/until.ts:7:7)
    at Array.map (<anonymous>)`;
  const firefox = `operate@http://h/test/explore/engine/actor.ts:2:2
raise@http://h/src/wait/doorbell.ts:4:4
Ring@http://h/src/spsc/spsc.ts:5:5
@http://h/src/spsc/spsc.ts:6:6
async*hear@http://h/src/wait/until.ts:7:7
`;
  const expected = [
    { source: "src/wait/doorbell.ts", line: 4, name: "raise" },
    { source: "src/spsc/spsc.ts", line: 5, name: "Ring" },
    { source: "src/spsc/spsc.ts", line: 6, name: "" },
    { source: "src/wait/until.ts", line: 7, name: "hear" },
  ];
  assertEquals(framesOf(chromium, locate), expected);
  assertEquals(framesOf(firefox, locate), expected);
});
