/**
 * `vring info`: one region, with the definition to paste into a program.
 *
 * @module
 */

import { describedType } from "../../described.ts";
import { VringError } from "../../errors.ts";
import { holders } from "../../inspect/holders.ts";
import { isSingle, type TypeDescription } from "../../layout/describe.ts";
import * as files from "../../os/files.ts";
import type { RegionDetails, RegionInfo } from "../../region/list.ts";
import { DIRECTORY, directoryOf } from "../../region/names.ts";
import { type Call, type Command, Exit, UsageError } from "../command.ts";
import { McapReader } from "../../record/mod.ts";
import { oldFile } from "../files.ts";
import { activityIn } from "../../inspect/survey.ts";
import { found, nothingFound } from "../found.ts";
import { bytesInWords, harmless } from "../output.ts";
import { factsOf } from "./ls.ts";

export const info: Command = {
  name: "info",
  summary: "Shows the definition, the parties and the flows of a region, or what a recording has.",
  usage: "NAME... | FILE.mcap",
  options: { kind: { value: "KIND", summary: "only this kind, such as topic or spsc" } },
  examples: ["vring info cam/left", "vring info cam/left --json"],
  run(call) {
    if (call.names.length === 0) throw new UsageError("Cannot show a region: pass its name");
    const [path] = call.names;
    if (call.names.length === 1 && path!.endsWith(".mcap")) return showFile(call, path!);
    const all = found(call);
    if (all.length === 0) {
      call.out.line(nothingFound(call));
      return Exit.problem;
    }
    const locks = holders();
    for (const region of all) show(call, region, locks);
    return Exit.ok;
  },
};

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

function show({ out }: Call, region: RegionInfo, locks: ReturnType<typeof holders>): void {
  const { facts, lines } = about(region, locks);
  out.object(facts);
  out.line(out.bold(lines[0]!));
  for (const line of lines.slice(1)) out.line(line);
  out.line();
}

/** Describes a region, for programs and for people. */
export function about(
  region: RegionInfo,
  locks = holders(),
): { readonly facts: object; readonly lines: readonly string[] } {
  const { kind, name, details, problem, path, sizeBytes, allocatedBytes } = region;
  const activity = activityIn(region);
  const status = files.statPath(path);
  const held = typeof status === "number" ? [] : locks.get(status.inode) ?? [];
  const definition = details && definitionOf(region, details);
  const facts = { ...factsOf(region, activity, held), id: details?.id, definition };
  const lines = [
    `${kind} ${harmless(name)}`,
    `  ${path}, ${bytesInWords(sizeBytes)}, ${bytesInWords(allocatedBytes)} of it in memory`,
  ];
  if (details === undefined) {
    lines.push(`  It cannot be read: ${harmless(problem ?? "")}`);
    return { facts, lines };
  }
  if (details.persist) lines.push("  It stays when nobody uses it (persist).");
  if (details.features.length > 0) lines.push(`  features: ${details.features.join(", ")}`);
  for (const { role, seat, number, presence } of activity?.parties ?? []) {
    const pids = held.filter((lock) => lock.role === number).map(({ pid }) => `process ${pid}`);
    lines.push(`  ${role} ${seat}: ${[presence, ...pids].join(", ")}`);
  }
  for (const { label, messages, backlog, room, unit } of activity?.flows ?? []) {
    const waiting = backlog === undefined ? "" : `, ${backlog} of ${room} ${unit} wait`;
    lines.push(`  ${label || "all"}: ${messages ?? "?"} messages${waiting}`);
  }
  if (activity?.lost !== undefined) lines.push(`  lost: ${activity.lost}`);
  if (definition !== undefined) lines.push("", ...definition.split("\n"));
  return { facts, lines };
}

const FUNCTIONS: Readonly<Record<string, string>> = {
  topic: "topic",
  source: "topic",
  spsc: "spsc",
  mpsc: "mpsc",
  calls: "calls",
  circular: "circular",
  slot: "domain",
  shm: "sharedMemory",
  rwlock: "rwLock",
};

/** The definition of a region as source text; undefined for a kind that nobody knows. */
function definitionOf(
  { kind, name, path }: RegionInfo,
  details: RegionDetails,
): string | undefined {
  const maker = FUNCTIONS[kind];
  if (maker === undefined) return undefined;
  const { type, geometry = {}, policy = {}, dataBytes } = details;
  const description = type?.description;
  const isBytes = type?.name === "bytes without messages";
  const types = isBytes || type === undefined ? [] : typesOf(type.name, description);
  const sizes = kind === "shm" ? { size: dataBytes } : { ...geometry, ...policy };
  const directory = directoryOf(path);
  const place = directory === DIRECTORY ? [] : [`directory: ${JSON.stringify(directory)}`];
  const options = [
    ...types.map(({ option, expression }) => `${option}: ${expression}`),
    ...Object.entries(sizes).map(([key, value]) => `${key}: ${JSON.stringify(value)}`),
    ...(kind === "slot" ? [] : place),
  ].join(", ");
  const ofDomain = place.map((option) => `, { ${option} }`).join("");
  const text = JSON.stringify(harmless(name));
  const declared = types.flatMap(({ declaration }) => declaration ?? []).join("\n");
  const [domainName, slotName] = name.split("/");
  const call = kind === "slot"
    ? `domain(${JSON.stringify(domainName)}, { ${
      JSON.stringify(slotName)
    }: { ${options} } }${ofDomain})`
    : `${isBytes ? "byteRing" : maker}(${text}, { ${options} })`;
  return declared === "" ? call : `${declared}\n${call}`;
}

interface TypeText {
  readonly option: string;
  readonly expression: string;
  readonly declaration?: string;
}

function typesOf(name: string, description: TypeDescription | undefined): TypeText[] {
  if (description === undefined) return [{ option: "type", expression: `/* ${harmless(name)} */` }];
  if ("request" in description) {
    return [
      { ...typeText(description.request), option: "request" },
      { ...typeText(description.response), option: "response" },
    ];
  }
  return [{ ...typeText(description), option: "type" }];
}

/** The source text of a type, and of the declaration that it needs. */
function typeText(description: TypeDescription): Omit<TypeText, "option"> {
  try {
    const { layout, type } = describedType(description);
    if (layout === undefined) {
      const known = ["bytes", "text", "json"].includes(type.name);
      return { expression: known ? `${type.name}()` : `/* ${harmless(type.name)} */` };
    }
    const single = singleIn(description);
    if (single !== undefined) return { expression: single };
    const declaration = layout.toDefinition();
    return { expression: nameIn(declaration), declaration };
  } catch (error) {
    if (!(error instanceof VringError)) throw error;
    return { expression: `/* ${harmless(error.message)} */` };
  }
}

/** Messages of one scalar, or of one array of scalars, as source text; undefined for others. */
function singleIn(description: TypeDescription): string | undefined {
  if (!("struct" in description) || !isSingle(description)) return undefined;
  const { type } = description.fields[0]!;
  if (typeof type === "string") return JSON.stringify(type);
  if (!("array" in type) || typeof type.array !== "string") return undefined;
  return `array(${JSON.stringify(type.array)}, ${type.length})`;
}

/** The constant that the last of these declarations declares. */
function nameIn(declarations: string): string {
  return [...declarations.matchAll(/^const (\w+) = struct/gm)].at(-1)![1]!;
}
