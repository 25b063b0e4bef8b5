/**
 * `vring top`: what moves, in a terminal redrawn in place, else as one table after the other.
 *
 * @module
 */

import type { RegionInfo } from "../../region/list.ts";
import {
  againOptions,
  type Call,
  type Command,
  countIn,
  Exit,
  KIND_OPTION,
  millisecondsIn,
} from "../command.ts";
import { found, needed } from "../found.ts";
import { sleep } from "../../os/clock.ts";
import { draw, type Look, press, type Screen, sortRows } from "../screen.ts";
import { type Row, rowsBetween, type Seen, survey } from "../../inspect/survey.ts";
import { COLUMNS, factsIn } from "../survey.ts";
import { about } from "./info.ts";

export const top: Command = {
  name: "top",
  summary: "Shows messages and bytes per second, backlog, losses, sleepers and wake-ups.",
  usage: "[PATTERN...]",
  options: {
    ...KIND_OPTION,
    ...againOptions("table", 1),
  },
  examples: ["vring top", "vring top '/cam/**' --every 0.2", "vring top --once --json"],
  async run(call) {
    const { out, terminal } = call;
    const everyMs = millisecondsIn(call, "every", 1);
    const count = countIn(call);
    const before = survey(call.names.length === 0 ? found(call) : needed(call));
    if (terminal !== undefined && count === Infinity && !out.json) {
      return await redraw(call, before, everyMs);
    }
    return await printTables(call, before, everyMs, count);
  },
};

async function printTables(
  call: Call,
  first: Map<string, Seen>,
  everyMs: number,
  count: number,
): Promise<number> {
  const { out, end } = call;
  let before = first;
  for (let i = 0; i < count && await sleep(everyMs, end); i++) {
    const after = survey(found(call));
    const rows = rowsBetween(before, after);
    for (const row of rows) out.object(factsIn(row));
    if (i > 0) out.line();
    out.table(
      COLUMNS.map(({ title }) => title),
      rows.map((row) => COLUMNS.map(({ cell }) => cell(row))),
    );
    before = after;
  }
  return Exit.ok;
}

/** The attributes of a terminal for the looks of a line. */
const CODES: Readonly<Record<Look, string>> = {
  plain: "",
  head: "1",
  marked: "7",
  lossy: "31",
  foot: "2",
};

/** Redraws the screen after each look and each key, until `q`, Ctrl-C or the end. */
async function redraw(call: Call, first: Map<string, Seen>, everyMs: number): Promise<number> {
  const terminal = call.terminal!;
  let before = first;
  let rows: Row[] = [];
  let screen: Screen = { sort: 1, selected: "", find: "", mode: "table", isPaused: false };
  const paint = (text: string, look: Look) => call.out.painted(text, CODES[look]);
  const show = () => terminal.show(draw(screen, rows, terminal.size(), linesOf, paint));
  const quit = new AbortController();
  const end = AbortSignal.any([call.end, quit.signal]);
  using _screen = terminal.open((key) => {
    screen = press(screen, key, sortRows(screen, rows));
    if (screen.mode === "quit") quit.abort();
    else show();
  });
  show();
  let soonMs = Math.min(everyMs, 200); // the first table need not wait
  while (await sleep(soonMs, end)) {
    soonMs = everyMs;
    const after = survey(found(call));
    if (!screen.isPaused) rows = rowsBetween(before, after);
    before = after;
    show();
  }
  return Exit.ok;
}

/** The details of a region, for the screen. */
function linesOf(region: RegionInfo): readonly string[] {
  return about(region).lines;
}
