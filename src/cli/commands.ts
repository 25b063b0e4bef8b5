/**
 * All commands, in the order in which the help shows them.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { bench } from "./commands/bench.ts";
import { bridge } from "./commands/bridge.ts";
import { clean } from "./commands/clean.ts";
import { doctor } from "./commands/doctor.ts";
import { echo } from "./commands/echo.ts";
import { bw, delay, hz, lag } from "./commands/figures.ts";
import { info } from "./commands/info.ts";
import { ls } from "./commands/ls.ts";
import { prometheus } from "./commands/prometheus.ts";
import { record } from "./commands/record.ts";
import { replay } from "./commands/replay.ts";
import { call, pub } from "./commands/send.ts";
import { top } from "./commands/top.ts";
import { why } from "./commands/why.ts";
import { view } from "./commands/view.ts";
import { watch } from "./commands/watch.ts";

/** All commands. */
export const COMMANDS: readonly Command[] = [
  ls,
  info,
  top,
  why,
  hz,
  bw,
  lag,
  delay,
  echo,
  record,
  replay,
  bridge,
  pub,
  call,
  watch,
  view,
  prometheus,
  doctor,
  bench,
  clean,
];
