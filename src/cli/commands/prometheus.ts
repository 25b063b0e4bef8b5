/**
 * `vring prometheus`: the counters of all regions, for a monitoring system.
 *
 * @module
 */

import { raw } from "../../codec.ts";
import { VringError } from "../../errors.ts";
import { type RegionInfo, regions } from "../../region/list.ts";
import { sleep } from "../../os/clock.ts";
import { type Call, type Command, Exit, matcher, portIn } from "../command.ts";
import { type AnyType, observerFor } from "../../inspect/messages.ts";
import { activityIn, survey } from "../../inspect/survey.ts";

const PORT = 9464;

/** The upper bounds of the delays that are counted, in seconds. */
const BOUNDS = [1e-5, 1e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2, 0.1, 1];

export const prometheus: Command = {
  name: "prometheus",
  summary: "Serves the counters of all regions in Prometheus' text format.",
  usage: "[PATTERN...]",
  options: {
    port: { value: "PORT", summary: `the port on 127.0.0.1; ${PORT} by default` },
    delays: { value: "PATTERN", summary: "count the delays of these topics, as an observer" },
    once: { summary: "print once instead of serving" },
  },
  examples: ["vring prometheus --port 9464", "vring prometheus '/cam/**' --delays '/cam/**'"],
  async run(call) {
    const { out, options, end } = call;
    const histograms = new Map<string, Histogram>();
    if (options.once) {
      out.raw(metrics(call, histograms));
      return Exit.ok;
    }
    const port = portIn(call, PORT);
    const watching = typeof options.delays === "string"
      ? watchDelays(options.delays, histograms, end)
      : undefined;
    await serve(call, port, () => metrics(call, histograms));
    await watching;
    return Exit.ok;
  },
};

async function serve({ out, end }: Call, port: number, text: () => string): Promise<void> {
  try {
    const server = Deno.serve({
      hostname: "127.0.0.1",
      port,
      signal: end,
      onListen: ({ port }) => out.line(`http://127.0.0.1:${port}/metrics`),
    }, ({ url, method }) => {
      if (method !== "GET" || new URL(url).pathname !== "/metrics") {
        return new Response("Not found: see /metrics\n", { status: 404 });
      }
      return new Response(text(), { headers: { "content-type": "text/plain; version=0.0.4" } });
    });
    await server.finished;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = error instanceof Deno.errors.NotCapable
      ? `the permission is missing; run with --allow-net=127.0.0.1:${port}`
      : error instanceof Deno.errors.AddrInUse
      ? "another program uses it; choose another one with --port"
      : error.message;
    throw new VringError(`Cannot serve on port ${port}: ${reason}`, { cause: error });
  }
}

/** A metric, and its values by labels. */
interface Metric {
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly lines: string[];
}

function metrics({ names }: Call, histograms: ReadonlyMap<string, Histogram>): string {
  const matches = names.map(matcher);
  const all: Record<string, Metric> = {};
  const add = (
    name: string,
    [type, help]: readonly ["counter" | "gauge", string],
    labels: Record<string, string | number>,
    value: number | undefined,
  ) => {
    if (value === undefined || !Number.isFinite(value)) return;
    const metric = all[name] ??= { type, help, lines: [] };
    metric.lines.push(`${name}${labelsOf(labels)} ${value}`);
  };
  for (const region of regions()) {
    if (matches.length > 0 && !matches.some((isMatch) => isMatch(region.name))) continue;
    addRegion(region, add);
  }
  const text = Object.entries(all).map(([name, { type, help, lines }]) =>
    `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`
  );
  return [...text, delaysIn(histograms)].join("");
}

const MESSAGES = ["counter", "messages received, or published"] as const;

type Add = (
  name: string,
  kind: readonly ["counter" | "gauge", string],
  labels: Record<string, string | number>,
  value: number | undefined,
) => void;

function addRegion(region: RegionInfo, add: Add): void {
  const { kind, name } = region;
  const own = { kind, name };
  add(
    "vring_memory_bytes",
    ["gauge", "memory that the region occupies"],
    own,
    region.allocatedBytes,
  );
  const activity = activityIn(region);
  if (activity === undefined) return;
  const { members, parties, flows, lost, sleepers, wakeUps } = activity;
  add("vring_members", ["gauge", "handles that have the region open"], own, members);
  for (const { role, seat, presence } of parties) {
    const labels = { ...own, role, seat };
    const isAlive = Number(presence === "alive");
    add("vring_party_alive", ["gauge", "whether the party lives"], labels, isAlive);
  }
  const isShared = flows[0]?.unit === "samples";
  for (const { label, messages, backlog, room } of flows) {
    const labels = { ...own, flow: label };
    if (!isShared) {
      add("vring_messages_total", MESSAGES, labels, messages);
    }
    add(
      "vring_backlog",
      ["gauge", "what waits: bytes of rings, samples of topics"],
      labels,
      backlog,
    );
    add("vring_room", ["gauge", "the most that can wait"], labels, room);
  }
  if (isShared) {
    const labels = { ...own, flow: "" };
    add("vring_messages_total", MESSAGES, labels, flows[0]!.messages);
  }
  add("vring_lost_total", ["counter", "samples that subscribers lost"], own, lost);
  add("vring_sleepers", ["gauge", "parties that sleep until a message comes"], own, sleepers);
  add("vring_wakeups_total", ["counter", "how often sleepers were woken"], own, wakeUps);
}

function labelsOf(labels: Record<string, string | number>): string {
  const escape = (text: string) =>
    text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  const all = Object.entries(labels).map(([key, value]) => `${key}="${escape(String(value))}"`);
  return `{${all.join(",")}}`;
}

/** Counts of delays. */
interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

function delaysIn(histograms: ReadonlyMap<string, Histogram>): string {
  if (histograms.size === 0) return "";
  const name = "vring_delay_seconds";
  const lines = [...histograms].flatMap(([topic, { counts, sum, count }]) => {
    const labels = (le: string) => labelsOf({ kind: "topic", name: topic, le });
    let below = 0;
    const buckets = BOUNDS.map((bound, i) => {
      below += counts[i]!;
      return `${name}_bucket${labels(String(bound))} ${below}`;
    });
    const own = labelsOf({ kind: "topic", name: topic });
    return [
      ...buckets,
      `${name}_bucket${labels("+Inf")} ${count}`,
      `${name}_sum${own} ${sum}`,
      `${name}_count${own} ${count}`,
    ];
  });
  return `# HELP ${name} from the publish until an observer saw the sample\n` +
    `# TYPE ${name} histogram\n${lines.join("\n")}\n`;
}

/** Observes the topics that match, also those that appear later. */
async function watchDelays(
  pattern: string,
  histograms: Map<string, Histogram>,
  end: AbortSignal,
): Promise<void> {
  const isMatch = matcher(pattern);
  const running: Promise<void>[] = [];
  do {
    for (const { region } of survey(regions().filter(({ kind }) => kind === "topic")).values()) {
      if (!isMatch(region.name) || histograms.has(region.name)) continue;
      const histogram = { counts: BOUNDS.map(() => 0), sum: 0, count: 0 };
      histograms.set(region.name, histogram);
      running.push(countDelays(region, histogram, end));
    }
  } while (await sleep(1000, end));
  await Promise.all(running);
}

async function countDelays(region: RegionInfo, into: Histogram, end: AbortSignal): Promise<void> {
  const { type } = region.details ?? {};
  if (type === undefined) return;
  using observer = observerFor(region, raw(type) as unknown as AnyType, 0);
  while (!end.aborted) {
    try {
      const message = await observer.receive({ signal: end });
      if (message === undefined) return;
      const seconds = Math.max(0, performance.timeOrigin + performance.now() - message.time!) /
        1000;
      const at = BOUNDS.findIndex((bound) => seconds <= bound);
      if (at >= 0) into.counts[at]!++;
      into.sum += seconds;
      into.count++;
    } catch (error) {
      if (end.aborted) return;
      if (!(error instanceof VringError)) throw error;
      return; // a peer has damaged the topic
    }
  }
}
