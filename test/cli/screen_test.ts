/** The screen of `vring top`: its keys, its lines, and a real terminal of 80 by 24. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { draw, press, type Screen, sortRows } from "../../src/cli/screen.ts";
import type { Row } from "../../src/inspect/survey.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { TerminalProgram } from "../program.ts";

const START: Screen = { sort: 1, selected: "", find: "", mode: "table", isPaused: false };

/** A row of a topic with this name that sends so many messages a second. */
function row(name: string, messages: number): Row {
  return {
    region: { kind: "topic", name, path: name } as Row["region"],
    rates: { seconds: 1, messages, bytes: 8 * messages, wakeUps: 0, lost: 0 },
    activity: { parties: [], flows: [], lost: 0, sleepers: 1, wakeUps: 0 },
    fullest: { backlog: 3, room: 8 },
  };
}

const ROWS = [row("cam/left", 30), row("imu", 1000), row("cam/right", 31)];

/** The screen after keys, one for each word. */
function after(keys: string, screen: Screen = START): Screen {
  const named: Record<string, string> = { enter: "\r", esc: "\x1b", space: " ", up: "\x1b[A" };
  return keys.split(" ").reduce(
    (now, key) => press(now, named[key] ?? key, sortRows(now, ROWS)),
    screen,
  );
}

const namesIn = (screen: Screen) => sortRows(screen, ROWS).map(({ region }) => region.name);

Deno.test("keys of the screen move, sort, find, pause, explain and quit", () => {
  assertEquals(after("j j j j").selected, "imu");
  assertEquals(after("j k k up").selected, "cam/left");
  assertEquals([after("G").selected, after("G g").selected], ["imu", "cam/left"]);
  assertEquals(namesIn(START), ["cam/left", "cam/right", "imu"]);
  assertEquals(namesIn(after("s")), ["imu", "cam/right", "cam/left"]);
  assertEquals(namesIn(after("h")), ["cam/left", "imu", "cam/right"]);
  assertEquals(namesIn(after("/ c a m enter")), ["cam/left", "cam/right"]);
  assertEquals(namesIn(after("/ c a \x7f enter")), ["cam/left", "cam/right"]);
  assertEquals(after("/ c esc").find, "");
  assertEquals(after("/ q").mode, "find");
  assertEquals([after("space").isPaused, after("space space").isPaused], [true, false]);
  assertEquals([after("?").mode, after("? x").mode], ["help", "table"]);
  assertEquals([after("enter").mode, after("/ n o enter enter").mode], ["details", "table"]);
  assertEquals([after("enter q").mode, after("? q").mode], ["table", "table"]);
  assertEquals([after("q").mode, after("\x03").mode, after("/ \x03").mode], [
    "quit",
    "quit",
    "quit",
  ]);
});

Deno.test("the screen fits its terminal, and keeps the marked row in it", () => {
  const many = Array.from({ length: 100 }, (_, i) => row(`n${String(i).padStart(3, "0")}`, i));
  const details = () => Array.from({ length: 50 }, (_, i) => `line ${i} ${"x".repeat(200)}`);
  for (const [columns, rows] of [[80, 24], [40, 10], [200, 60]] as const) {
    for (const screen of [START, after("?"), { ...START, mode: "details" as const }]) {
      for (const row of [0, 50, 99]) {
        const selected = many[row]!.region.path;
        const lines = draw({ ...screen, selected }, many, { columns, rows }, details);
        assertEquals(lines.length, rows);
        assert(lines.every((line) => line.length <= columns));
        const marked = `> topic  ${selected}`.slice(0, columns - 1);
        if (screen === START) {
          assert(lines.some((line) => line.startsWith(marked)), lines.join("\n"));
        }
      }
    }
  }
  const [head, first] = draw(START, ROWS, { columns: 80, rows: 24 }, details);
  assertEquals(head, "  KIND   NAME*      MSG/S  BYTES/S  BACKLOG     LOST/S  ASLEEP  WAKES/S");
  assertEquals(first, "> topic  cam/left      30    240 B  ####......       0       1        0");
});

Deno.test("the mark and the details follow a region when the order changes, and say if it is gone", () => {
  const details = ({ name }: { name: string }) => [`about ${name}`];
  const size = { columns: 80, rows: 10 };
  const screen = after("s j enter"); // by messages: imu, cam/right, cam/left
  assertEquals(draw(screen, ROWS, size, details)[0], "about cam/right");
  const faster = [row("cam/left", 30), row("imu", 1000), row("cam/right", 5000)];
  assertEquals(draw(screen, faster, size, details)[0], "about cam/right");
  assertEquals(
    draw(press(screen, "x", faster), faster, size, details)[1]!.slice(0, 18),
    "> topic  cam/right",
  );
  assertEquals(draw(screen, ROWS.slice(0, 2), size, details)[0], "This region is gone.");
});

Deno.test("long names leave room for the figures, and lines have their looks", () => {
  const long = [row(`${"long/".repeat(20)}end`, 5), {
    ...row("b", 6),
    rates: { ...row("b", 6).rates, lost: 7 },
  }];
  const size = { columns: 80, rows: 10 };
  const marked = { ...START, selected: long[0]!.region.path };
  const lines = draw(marked, long, size, () => [], (text, look) => `${look}: ${text}`);
  assertEquals(lines[0]!.slice(0, 15), "head:   KIND   ");
  assertMatch(lines[0]!, /WAKES\/S$/);
  assertMatch(lines[1]!, /^lossy: {3}topic {2}b .* 7 /);
  assertMatch(lines[2]!, /^marked: > topic {2}….*long\/end +5 .* 0$/);
  assertEquals(lines.at(-1)!.slice(0, 16), "foot: 2 regions ");
});

Deno.test("vring top redraws a terminal of 80 by 24, and restores it", async () => {
  using place = namespace();
  using publisher = topic("pose", { type: "f64" }).publisher();
  const sending = setInterval(() => publisher.trySend(1), 5);
  using _timer = { [Symbol.dispose]: () => clearInterval(sending) };
  await using program = new TerminalProgram("test/cli/top_program.ts", place.prefix);
  await program.until(/> topic {2}pose +\d/);
  await program.type("?");
  await program.until(/mark a row/);
  await program.type("x");
  await program.type("\r");
  await program.until(/topic\("pose", \{ type: "f64"/);
  await program.type("q");
  await program.type("q");
  const { code } = await program.end();
  assertEquals(code, 0);
  assertStringIncludes(program.out, "\x1b[?1049h");
  assertStringIncludes(program.out.slice(-40), "\x1b[?1049l");
});
