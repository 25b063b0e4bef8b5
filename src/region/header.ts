/**
 * The first 256 bytes of every region: its type, its layout and its size. Every field but `state`
 * is written before the region has a name and never changes afterwards.
 *
 * An opener copies the header out once and checks every field against its own expectations. It
 * never trusts a region because of its name.
 *
 * Formats grow by feature bits, which a type of region names. A region sets the bits of the
 * features that it uses. A program that does not know an incompatible feature refuses the region;
 * its error names the feature, as the region stores the name (description.ts). It may ignore a
 * compatible one. Other changes, such as new words in the control block, make another layout and so
 * another hash. The header itself changes with its version. Reserved bytes are zero, and every
 * reader ignores them.
 *
 * @module
 */

import { CorruptRegionError, LayoutMismatchError } from "../errors.ts";
import { layout, type Value } from "../layout/layout.ts";
import { roundUp } from "../layout/sizes.ts";
import { describeCodec, differences, type TypeDescription } from "../layout/describe.ts";
import { pageSize } from "../os/page.ts";
import { type FeatureBits, LARGEST_DESCRIPTION, type RegionDescription } from "./description.ts";

const MAGIC = "vring";

/** The first four bytes of `MAGIC`, as both processors load them. */
export const MAGIC_WORD = 0x6e697276;

/** The versions of the header, and what each of them added. */
export const HEADER_VERSIONS: readonly string[] = [
  "the header and the control block",
  "a description of the message type, the geometry and the policy, and the names of feature bits",
];

/** The version that this code writes, and the only one that it reads. */
export const HEADER_VERSION: number = HEADER_VERSIONS.length;
const BYTE_ORDER = 0x01020304;

/** The largest region: far above any memory, far below the limit of exact numbers. */
export const LARGEST_BYTES: number = 2 ** 46;

/** The header of every region. */
export const REGION_HEADER = layout("region_header", {
  magic: { type: layout.text(8), doc: 'always "vring"' },
  header_version: { type: "u32", doc: "the version of this header" },
  byte_order: { type: "u32", doc: "0x01020304 as the creator's processor stores it" },
  kind: { type: layout.text(16), doc: "what the region is, such as spsc" },
  abi_hash: { type: "u64", doc: "hash of the control block's layout" },
  message_hash: { type: "u64", doc: "hash of the message type, 0 if it has none" },
  compatible: { type: "u32", doc: "feature bits that may be ignored when unknown" },
  incompatible: { type: "u32", doc: "feature bits that must be known to attach" },
  page_size: { type: "u32", doc: "the creator's page size in bytes" },
  control_bytes: { type: "u32", doc: "the size of the control block that follows this header" },
  byte_length: { type: "u64", doc: "the length of the file" },
  data_offset: { type: "u64", doc: "where the data begins, on a page of its own" },
  creator: { type: layout.bytes(16), doc: "random identity of this region" },
  message_name: { type: layout.text(64), doc: "the name of the message type" },
  part_bytes: { type: "u64", doc: "each so many bytes of data are mapped twice; 0 if none are" },
  description_bytes: { type: "u32", doc: "the size of the description after the control block" },
  reserved: { type: layout.bytes(20), doc: "zero" },
  state: { type: "u32", line: true, doc: "bit 0: kept when the last member leaves" },
});

/** Bits of the header's `state` word. */
export const RegionState = { persist: 1 } as const;

/** The header's contents. */
export type RegionHeader = Value<typeof REGION_HEADER>;

/** The parts of one type of region. */
export interface RegionType {
  /** The kind: the name in file names and headers: up to 15 of a-z, 0-9 and _. */
  readonly name: string;
  /** The words for it in messages, such as `circular buffer`. */
  readonly title?: string | undefined;
  /** The layout of the control block that follows the header. */
  readonly control: { readonly size: number; readonly hash: bigint };
  /** Whether the data is mapped twice in a row. */
  readonly mirrored: boolean;
  /** The most parts such data may have, each mapped twice by itself; 1 by default. */
  readonly mostParts?: number | undefined;
  /** Whether parts of the data get memory only when needed (`Region.allocate`). */
  readonly sparse?: boolean | undefined;
  /**
   * The features that this code understands, and their bits; a region states those that it uses.
   */
  readonly features?: Partial<FeatureBits> | undefined;
  /**
   * Returns the definition that opens a region with messages of the name `there`, in words; `here`
   * is the name in the definition that does not.
   */
  readonly openedWith?: (there: string, here: string) => string | undefined;
}

/** A type of message, checked when a process attaches. */
export interface MessageType {
  /** The name of the type, for error messages and tools. */
  readonly name: string;
  /** The hash of the type: two programs use the same type if their hashes are equal. */
  readonly hash: bigint;
  /** The description of the type, for programs that do not declare it. */
  readonly description?: TypeDescription | undefined;
}

/** Returns the description of a type; one of its name and hash if it has no other. */
export function descriptionOf({ name, hash, description }: MessageType): TypeDescription {
  return description ?? describeCodec({ name, hash });
}

/** The offset of the data in a region of this type, with a description of this size. */
export function dataOffsetOf(regionType: RegionType, descriptionBytes = 0): number {
  return roundUp(descriptionOffsetOf(regionType) + descriptionBytes, pageSize());
}

/** The offset of the description in a region of this type. */
export function descriptionOffsetOf({ control }: Pick<RegionType, "control">): number {
  return REGION_HEADER.size + control.size;
}

/** Returns the bits of features by their names, in one of the words. */
function bitsOf(names: readonly string[], known: Readonly<Record<string, number>> = {}): number {
  return names.reduce((bits, name) => name in known ? bits | 1 << known[name]! : bits, 0) >>> 0;
}

/** Returns the features of a type of region that have these names, with their bits. */
export function featuresOf(regionType: RegionType, names: readonly string[]): FeatureBits {
  const chosen = (all: Readonly<Record<string, number>> = {}) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  const { compatible, incompatible } = regionType.features ?? {};
  return { compatible: chosen(compatible), incompatible: chosen(incompatible) };
}

/** Composes the header of a new region. */
export function composeHeader(
  regionType: RegionType,
  dataBytes: number,
  extra: {
    creator: Uint8Array;
    message?: MessageType | undefined;
    partBytes?: number | undefined;
    descriptionBytes?: number | undefined;
    features?: readonly string[] | undefined;
    state: number;
  },
): Uint8Array<ArrayBuffer> {
  const { creator, message, partBytes = dataBytes, state } = extra;
  const { descriptionBytes = 0, features = [] } = extra;
  const dataOffset = dataOffsetOf(regionType, descriptionBytes);
  const bytes = new Uint8Array(REGION_HEADER.size);
  REGION_HEADER.write(bytes, {
    magic: MAGIC,
    header_version: HEADER_VERSION,
    byte_order: BYTE_ORDER,
    kind: regionType.name,
    abi_hash: regionType.control.hash,
    message_hash: message?.hash ?? 0n,
    compatible: bitsOf(features, regionType.features?.compatible),
    incompatible: bitsOf(features, regionType.features?.incompatible),
    page_size: pageSize(),
    control_bytes: regionType.control.size,
    byte_length: BigInt(dataOffset + dataBytes),
    data_offset: BigInt(dataOffset),
    creator: new Uint8Array(creator),
    message_name: message?.name ?? "",
    part_bytes: BigInt(regionType.mirrored ? partBytes : 0),
    description_bytes: descriptionBytes,
    reserved: new Uint8Array(20),
    state,
  });
  return bytes;
}

/** Reads the header in these bytes; returns a string with the reason if they hold none. */
export function parseHeader(bytes: Uint8Array): RegionHeader | string {
  if (bytes.length === 0) return "the file is empty";
  if (bytes.length < REGION_HEADER.size) {
    return `the file ends after ${bytes.length} bytes, within the header`;
  }
  const header = REGION_HEADER.read(bytes);
  if (header.magic !== MAGIC) return "the file does not begin as a region does";
  if (header.byte_order !== BYTE_ORDER) return "it was made on a machine of another byte order";
  if (header.header_version !== HEADER_VERSION) {
    return `its header has version ${header.header_version}, and this code knows ${HEADER_VERSION}`;
  }
  const { kind, message_name } = header;
  return { ...header, kind: printable(kind), message_name: printable(message_name) };
}

/** Replaces every character of a peer's text that could control a terminal. */
function printable(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, "\ufffd");
}

/** The expectations of an opener. */
export interface Expectation {
  /** The type of region. */
  readonly regionType: RegionType;
  /** The message type, if it matters. */
  readonly message?: MessageType | undefined;
}

/** The file of a region, as an opener knows it. */
export interface RegionFile {
  /** The length of the file. */
  readonly size: number;
  /** Reads the description; returns undefined if it is missing or invalid. */
  describe(): RegionDescription | undefined;
}

/** Throws unless this header, in this file, is the expected one. */
export function checkHeader(
  header: RegionHeader,
  file: RegionFile,
  expected: Expectation,
  what: string,
): void {
  const { title = "region" } = expected.regionType;
  const found = mismatch(header, file, expected);
  if (found === undefined) return checkExtent(header, file.size, expected.regionType, what);
  const { state, remedy = "use another name" } = found;
  throw new LayoutMismatchError(
    `Cannot open ${what}: ${state}; ${remedy}, or unlink the ${title} once nobody uses it`,
  );
}

/** Returns the first difference between a header and the expected one, and a remedy. */
function mismatch(
  header: RegionHeader,
  file: RegionFile,
  { regionType: { name, control, features, openedWith }, message }: Expectation,
): { state: string; remedy?: string } | undefined {
  const { kind, abi_hash, incompatible, page_size, message_name, message_hash } = header;
  if (kind !== name) return { state: `it is of kind "${kind}", not "${name}"` };
  if (abi_hash !== control.hash) {
    return {
      state: `its control block has layout ${hex(abi_hash)}, and this code has ` +
        `${hex(control.hash)}: it was made by another version`,
    };
  }
  const known = features?.incompatible ?? {};
  const unknown = (incompatible & ~bitsOf(Object.keys(known), known)) >>> 0;
  if (unknown !== 0) {
    return {
      state: `it uses ${featuresInWords(unknown, file)}, which this version does not know`,
      remedy: "update this program, use another name",
    };
  }
  if (page_size !== pageSize()) {
    return {
      state: `it was made for pages of ${page_size} bytes, and pages here have ${pageSize()}`,
    };
  }
  if (message === undefined || message_hash === message.hash) return undefined;
  const { name: wanted } = message;
  if (message_hash === 0n) {
    return { state: `its messages are of no declared type, and this definition says "${wanted}"` };
  }
  const different = differencesInWords(message, file);
  const isNamesake = message_name === wanted;
  const [there, here] = isNamesake && different === ""
    ? [message_hash, message.hash].map((hash) => ` (${hex(hash)})`)
    : ["", ""];
  return {
    state: `its messages are "${message_name}"${there}, and this definition says ` +
      `${isNamesake ? "another " : ""}"${wanted}"${here}${different}`,
    remedy: isNamesake
      ? "import the definition that the other programs use"
      : `define ${openedWith?.(message_name, wanted) ?? `the type "${message_name}"`}`,
  };
}

/** Names the features of unknown bits, as the region itself does. */
function featuresInWords(unknown: number, file: RegionFile): string {
  const words = featureNames(unknown, file.describe()?.features.incompatible)
    .map((name) => name.startsWith("bit ") ? `of ${name}` : `"${name}"`);
  return `${words.length === 1 ? "the feature" : "the features"} ${words.join(", ")}`;
}

/** Returns the names of bits; such as `bit 3` for those that have none. */
export function featureNames(bits: number, named: Readonly<Record<string, number>> = {}): string[] {
  const names = Object.entries(named);
  const inUse = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => bits & 1 << bit);
  return inUse.map((bit) => names.find(([, its]) => its === bit)?.[0] ?? `bit ${bit}`);
}

/** The most differences that an error names. */
const MOST_DIFFERENCES = 5;

/** Names the fields in which the type of a region differs from the expected one. */
function differencesInWords({ description: here }: MessageType, file: RegionFile): string {
  const there = here && file.describe()?.type;
  const found = here && there ? differences(there, here) : [];
  if (found.length === 0) return "";
  const more = found.length - MOST_DIFFERENCES;
  const shown = found.slice(0, MOST_DIFFERENCES).join(", ");
  return `: ${shown}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Throws unless the sizes in the header agree with the file and with each other. */
function checkExtent(
  header: RegionHeader,
  fileBytes: number,
  regionType: RegionType,
  what: string,
): void {
  const { control_bytes, description_bytes, data_offset, byte_length } = header;
  const agrees = control_bytes === regionType.control.size &&
    description_bytes <= LARGEST_DESCRIPTION &&
    data_offset === BigInt(dataOffsetOf(regionType, description_bytes)) &&
    byte_length === BigInt(fileBytes) &&
    byte_length >= data_offset &&
    isDataSize(
      regionType,
      dataBytesOf(header),
      regionType.mirrored ? partBytesOf(header) : undefined,
    ) &&
    (regionType.mirrored || header.part_bytes === 0n);
  if (agrees) return;
  throw new CorruptRegionError(
    `Cannot open ${what}: its header states ${byte_length} bytes with data from ` +
      `${data_offset}, and the file has ${fileBytes}; unlink it`,
  );
}

/**
 * Whether a region of this type can hold this many bytes of data; mirrored data takes whole pages.
 */
export function isDataSize(
  regionType: RegionType,
  dataBytes: number,
  partBytes = dataBytes,
): boolean {
  if (!Number.isSafeInteger(dataBytes) || dataBytes < 0 || dataBytes > LARGEST_BYTES) return false;
  if (!regionType.mirrored) return true;
  const parts = dataBytes / partBytes;
  return partBytes > 0 && partBytes % pageSize() === 0 && Number.isInteger(parts) &&
    parts >= 1 && parts <= (regionType.mostParts ?? 1);
}

/** The number of data bytes in a region with this header. */
export function dataBytesOf(header: RegionHeader): number {
  return Number(header.byte_length - header.data_offset);
}

/** The number of bytes in each part of its data that is mapped twice. */
export function partBytesOf(header: RegionHeader): number {
  return Number(header.part_bytes);
}

/** Writes a hash as people compare it: in hexadecimal. */
function hex(value: bigint): string {
  return value.toString(16);
}
