/**
 * `vring info`: one region, with the definition to paste into a program.
 *
 * @module
 */

import { counted } from "../../errors.ts";
import { type Activity, controlLayoutOf } from "../../inspect/activity.ts";
import { type Held, holders, holdersOf } from "../../inspect/holders.ts";
import { inspect } from "../../layout/tools/inspect.ts";
import type { RegionInfo } from "../../region/list.ts";
import { type Call, type Command, Exit, KIND_OPTION, UsageError } from "../command.ts";
import { McapReader } from "../../record/mod.ts";
import { definitionOf } from "../definition_text.ts";
import { oldFile } from "../files.ts";
import { activityIn, observerOf, problemOf } from "../../inspect/survey.ts";
import { needed } from "../found.ts";
import { bytesInWords, harmless } from "../output.ts";
import { factsOf } from "./ls.ts";

export const info: Command = {
  name: "info",
  summary: "Shows the definition, the parties and the flows of a region, or what a recording has.",
  usage: "NAME... | FILE.mcap",
  options: KIND_OPTION,
  examples: ["vring info cam/left", "vring info cam/left --json"],
  run(call) {
    if (call.names.length === 0) throw new UsageError("Cannot show a region: pass its name");
    const [path] = call.names;
    if (call.names.length === 1 && path!.endsWith(".mcap")) return showFile(call, path!);
    const all = needed(call);
    const locks = holders();
    for (const region of all) show(call, region, { locks, hasWords: all.length === 1 });
    return Exit.ok;
  },
};

/** The holders of roles, by the inode of the file. */
type Locks = ReadonlyMap<number, readonly Held[]>;

/** Describes a recording. */
function showFile({ out }: Call, path: string): number {
  using file = oldFile(path);
  const reader = new McapReader(file.readAt, path);
  const topics = new Map<string, { count: number; bytes: number; type: string }>();
  let [first, last] = [undefined as bigint | undefined, 0n];
  for (const { channel, publishTime, data } of reader.messages()) {
    const { topic, schema, encoding } = channel;
    const sum = topics.get(topic) ?? { count: 0, bytes: 0, type: schema?.name ?? encoding };
    topics.set(topic, { ...sum, count: sum.count + 1, bytes: sum.bytes + data.length });
    first ??= publishTime;
    last = publishTime;
  }
  const seconds = first === undefined ? 0 : Number(last - first) / 1e9;
  const { isWhole } = reader;
  const rows = [...topics].map(([topic, { count, bytes, type }]) => {
    const lost = lostIn(reader.metadata.get("vring")?.[topic.slice(1)]);
    out.object({ path, topic, type, messages: count, bytes, lost, seconds, isWhole });
    return [harmless(topic), harmless(type), count, bytesInWords(bytes), lost];
  });
  out.table(["TOPIC", "TYPE", "MESSAGES", "BYTES", "LOST"], rows);
  const state = isWhole ? "" : "; it was not ended: the recorder was killed, or still runs";
  out.line(`${path}: ${seconds.toFixed(3)} seconds${state}`);
  return Exit.ok;
}

/** The losses in the account that a recorder has stored; undefined if it is not valid. */
function lostIn(account: string | undefined): number | undefined {
  const found = /"lost":(\d+)/.exec(account ?? "");
  return found === null ? undefined : Number(found[1]);
}

/** Shows a region. */
function show({ out }: Call, region: RegionInfo, options: AboutOptions): void {
  const { facts, lines } = about(region, options);
  out.object(facts);
  out.line(out.bold(lines[0]!));
  for (const line of lines.slice(1)) out.line(line);
  out.line();
}

/** What else to say about a region. */
interface AboutOptions {
  /** The holders of roles; they are looked for without. */
  readonly locks?: Locks;
  /** Whether to show each word of the control block, which is long. */
  readonly hasWords?: boolean;
}

/** Describes a region, for programs and for people. */
export function about(
  region: RegionInfo,
  { locks = holders(), hasWords = false }: AboutOptions = {},
): { readonly facts: object; readonly lines: readonly string[] } {
  const { kind, name, details, path, sizeBytes, allocatedBytes } = region;
  const activity = activityIn(region);
  const held = holdersOf(region, locks);
  const definition = details && definitionOf(region, details);
  const facts = { ...factsOf(region, activity, held), id: details?.id, definition };
  const lines = [
    `${kind} ${harmless(name)}`,
    `  ${path}, ${bytesInWords(sizeBytes)}, ${bytesInWords(allocatedBytes)} of it in memory`,
  ];
  const reason = activity === undefined ? problemOf(region) : undefined;
  if (reason !== undefined) lines.push(`  It cannot be read: ${harmless(reason)}`);
  if (details === undefined) return { facts, lines };
  if (details.persist) lines.push("  It stays when nobody uses it (persist).");
  if (details.features.length > 0) lines.push(`  features: ${details.features.join(", ")}`);
  const places = placesIn(region, activity);
  if (activity !== undefined) lines.push(`  members: ${activity.members}${places}`);
  for (const { role, seat, number, presence } of activity?.parties ?? []) {
    const pids = held.filter((lock) => lock.role === number).map(({ pid }) => `process ${pid}`);
    lines.push(`  ${role} ${seat}: ${[presence, ...pids].join(", ")}`);
  }
  for (const { label, messages, backlog, room, unit } of activity?.flows ?? []) {
    const waiting = backlog === undefined ? "" : `, ${backlog} of ${room} ${unit} wait`;
    lines.push(`  ${label || "all"}: ${messages ?? "?"} messages${waiting}`);
  }
  if (activity?.lost !== undefined) lines.push(`  lost: ${activity.lost}`);
  const words = hasWords ? wordsIn(region) : undefined;
  if (words !== undefined) lines.push("", ...words.map((line) => `  ${line}`.trimEnd()));
  if (definition !== undefined) lines.push("", ...definition.split("\n"));
  return { facts, lines };
}

/** How many more receivers or senders a region has places for, if that is limited by its definition. */
function placesIn({ details }: RegionInfo, activity: Activity | undefined): string {
  const taken = (role: string) =>
    activity?.parties.filter((party) => party.role === role && party.presence === "alive").length ??
      0;
  return ["subscriber", "producer", "client", "server"].flatMap((role) => {
    const most = Number(details?.geometry?.[`${role}s`]);
    return most > 1 ? [`; places for ${counted(most - taken(role), `more ${role}`)}`] : [];
  }).join("");
}

/** The layout of a region's control block with its values; undefined if this code does not know it. */
function wordsIn(region: RegionInfo): readonly string[] | undefined {
  using observer = observerOf(region);
  const layout = observer && controlLayoutOf(observer);
  if (observer === undefined || layout === undefined) return undefined;
  const bytes = observer.controlBytes(layout);
  const values = inspect(layout, new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  return values.trimEnd().split("\n");
}
