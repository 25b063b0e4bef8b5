/**
 * `vring bench`: what messages cost on this machine, in ten seconds.
 *
 * All exchanges run in turns, a few milliseconds each, so a slow moment of the machine meets all of
 * them alike. The other side is a process of its own.
 *
 * @module
 */

import { VringError } from "../../errors.ts";
import {
  ask,
  EXCHANGES,
  type Kind,
  type Side,
  SOCKET_EXCHANGES,
  socketSide,
} from "../bench/exchanges.ts";
import { type Command, Exit, numberIn } from "../command.ts";

/** An exchange, and the nanoseconds that a message took in each round. */
interface Run {
  readonly kind: Kind;
  readonly side: Side;
  /** The exchanges in the next round. */
  count: number;
  readonly each: number[];
}

export const bench: Command = {
  name: "bench",
  summary: "Measures this machine: the floor, a ring, a topic and a socket, in ten seconds.",
  usage: "",
  options: { seconds: { value: "N", summary: "measure for so long; 10 by default" } },
  examples: ["vring bench", "vring bench --seconds 30 --json"],
  async run(call) {
    const { out, end } = call;
    const seconds = numberIn(call, "seconds", 0.1, 1e6) ?? 10;
    await using stack = new AsyncDisposableStack();
    const { runs, begin, remark } = await openRuns(stack);
    await measure(runs, begin, performance.now() + seconds * 1000, end);
    const floor = quartiles(runs[0]!.each)[1];
    const isBusy = floor > BUSY_NS;
    const rows = runs.map(({ kind: { name, there }, each }) => {
      const [low, middle, high] = quartiles(each);
      out.object({ name, unit: "ns", there, low, median: middle, high, rounds: each.length });
      const ratio = isBusy ? "" : (middle / floor).toFixed(middle < 10 * floor ? 1 : 0);
      return [WHAT[name], inWords(middle), `${inWords(low)} - ${inWords(high)}`, ratio];
    });
    out.table(["", "MEDIAN", "MIDDLE HALF", "FLOORS"], rows);
    out.line();
    out.line(
      out.dim(`${runs[0]!.each.length} rounds in turns; 64 B there and back unless noted.`),
    );
    if (isBusy) {
      out.line("Other programs are busy: spinning sides waited for the scheduler.");
    }
    if (remark !== undefined) out.line(remark);
    return Exit.ok;
  },
};

/** Two processors pass a word there and back in less, unless one of them is taken away. */
const BUSY_NS = 2000;

const WHAT: Readonly<Record<string, string>> = {
  "words": "floor: a word there and back, spinning",
  "ring": "ring, spinning",
  "topic": "topic, spinning",
  "ring-promises": "ring, promises, both asleep",
  "ring-one-way": "ring, one way, each message",
  "ring-frames": "ring, 1 MiB there, 64 B back",
  "topic-frames": "topic, 1 MiB there, 64 B back",
  "socket": "Unix socket, promises",
  "socket-frames": "Unix socket, 1 MiB there, 64 B back",
};

/** The time of a round. */
const ROUND_MS = 5;

/** The turns until the engine has compiled the code, and the rounds have their length. */
const WARM_UP = 4;

/** Runs all exchanges in turns until the time is up; the first turns only warm up. */
async function measure(
  runs: readonly Run[],
  begin: (kind: Kind, count: number) => Promise<void>,
  until: number,
  end: AbortSignal,
): Promise<void> {
  for (let turn = -WARM_UP; !end.aborted && (turn < 2 || performance.now() < until); turn++) {
    for (const run of runs) {
      const { kind, side, count, each } = run;
      await begin(kind, 1 + count);
      await ask(side, kind, 1); // the other side is awake after this
      const start = performance.now();
      await ask(side, kind, count);
      const ms = performance.now() - start;
      if (turn >= 0) each.push(ms * 1e6 / count / kind.there);
      run.count = Math.ceil(Math.min(10 * count, count * ROUND_MS / ms));
    }
  }
}

/** Starts the other process, and opens all exchanges with it. */
async function openRuns(stack: AsyncDisposableStack) {
  const prefix = `vring-bench-${Deno.pid}`;
  const regions = stack.use(new DisposableStack());
  const opened = EXCHANGES.map((kind): Run => {
    return { kind, side: kind.open(`${prefix}-${kind.name}`, true, regions), count: 1, each: [] };
  });
  const socket = listen(stack);
  const path = socket === undefined ? [] : [socket.path];
  const child = startPeer([prefix, ...path], path);
  stack.defer(async () => void await child.status);
  const orders = child.stdin.getWriter();
  stack.defer(() => orders.close());
  const replies = child.stdout.getReader();
  stack.defer(() => replies.cancel());
  const connection = socket === undefined ? undefined : await socket.listener.accept();
  if ((await replies.read()).done) throw new VringError("Cannot measure: the other process ended");
  const begin = ({ name }: Kind, count: number) =>
    orders.write(new TextEncoder().encode(`${name} ${count}
`));
  if (connection === undefined) {
    const remark = `No socket was measured: add ${SOCKET_RIGHTS.join(" ")}.`;
    return { runs: opened, begin, remark };
  }
  stack.defer(() => connection.close());
  const sockets = SOCKET_EXCHANGES.map((kind): Run => {
    return { kind, side: socketSide(connection, true, kind.name), count: 1, each: [] };
  });
  return { runs: [...opened, ...sockets], begin };
}

/** What a Unix socket needs. */
const SOCKET_RIGHTS = ["--allow-net", "--allow-read", "--allow-write"];

/** Starts the other process; an error says which flag is missing. */
function startPeer(args: readonly string[], paths: readonly string[]): Deno.ChildProcess {
  const rights = paths.length === 0 ? [] : SOCKET_RIGHTS;
  try {
    return new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--allow-ffi",
        ...rights,
        import.meta.resolve("../bench/peer.ts"),
        ...args,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new VringError(
      `Cannot start the other process: the permission is missing; run with --allow-run=${Deno.execPath()}`,
    );
  }
}

/** Listens at a Unix socket in a folder of its own; returns undefined without the permissions. */
function listen(stack: AsyncDisposableStack) {
  try {
    const folder = Deno.makeTempDirSync({ prefix: "vring-bench-" });
    stack.defer(() => Deno.removeSync(folder, { recursive: true }));
    const path = `${folder}/socket`;
    const listener = stack.use(Deno.listen({ transport: "unix", path }));
    return { listener, path };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    return undefined;
  }
}

/** The quartiles of some numbers. */
function quartiles(values: readonly number[]): [low: number, median: number, high: number] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)]!;
  return [at(0.25), at(0.5), at(0.75)];
}

/** A time as people write it, such as 1.7 us. */
function inWords(ns: number): string {
  if (ns < 1000) return `${ns.toFixed(0)} ns`;
  return ns < 100_000 ? `${(ns / 1000).toFixed(1)} us` : `${(ns / 1000).toFixed(0)} us`;
}
