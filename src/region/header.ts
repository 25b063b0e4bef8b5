/**
 * The first 256 bytes of every region: its type, its layout and its size. Every field but `state`
 * is written before the region has a name and never changes afterwards.
 *
 * An opener copies the header out once and checks every field against its own expectations. Nothing
 * is trusted because of its name.
 *
 * @module
 */

import { CorruptRegionError, LayoutMismatchError } from "../errors.ts";
import { layout, type Value } from "../layout/layout.ts";
import { roundUp } from "../layout/sizes.ts";
import { pageSize } from "../os/page.ts";

const MAGIC = "vring";
const HEADER_VERSION = 1;
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
  reserved: { type: layout.bytes(24), doc: "zero" },
  state: { type: "u32", line: true, doc: "bit 0: kept when the last member leaves" },
});

/** Bits of the header's `state` word. */
export const RegionState = { persist: 1 } as const;

/** The header's contents. */
export type RegionHeader = Value<typeof REGION_HEADER>;

/** The parts of one type of region. */
export interface RegionKind {
  /** The name in file names and headers: up to 15 of a-z, 0-9 and _. */
  readonly name: string;
  /** The words for it in messages, such as `circular buffer`. */
  readonly title?: string;
  /** The layout of the control block that follows the header. */
  readonly control: { readonly size: number; readonly hash: bigint };
  /** Whether the data is mapped twice in a row. */
  readonly mirrored: boolean;
  /** The most parts such data may have, each mapped twice by itself; 1 by default. */
  readonly mostParts?: number;
  /** Whether parts of the data get memory only when needed (`Region.allocate`). */
  readonly sparse?: boolean;
  /** Feature bits that this code writes and understands. */
  readonly features?: { readonly compatible: number; readonly incompatible: number };
  /** What a region is opened with whose messages have this name, unless it is the codec of that name. */
  readonly openedWith?: (messageName: string) => string | undefined;
}

/** A type of message, checked when a process attaches. */
export interface MessageType {
  /** Its name, for people. */
  readonly name: string;
  /** Its identity. */
  readonly hash: bigint;
}

/** The offset of the data in a region of this type. */
export function dataOffsetOf(kind: RegionKind): number {
  const page = pageSize();
  return roundUp(REGION_HEADER.size + kind.control.size, page);
}

/** Composes the header of a new region. */
export function composeHeader(
  kind: RegionKind,
  dataBytes: number,
  extra: {
    creator: Uint8Array;
    message?: MessageType | undefined;
    partBytes?: number | undefined;
    state: number;
  },
): Uint8Array<ArrayBuffer> {
  const { creator, message, partBytes = dataBytes, state } = extra;
  const dataOffset = dataOffsetOf(kind);
  const bytes = new Uint8Array(REGION_HEADER.size);
  REGION_HEADER.write(bytes, {
    magic: MAGIC,
    header_version: HEADER_VERSION,
    byte_order: BYTE_ORDER,
    kind: kind.name,
    abi_hash: kind.control.hash,
    message_hash: message?.hash ?? 0n,
    compatible: kind.features?.compatible ?? 0,
    incompatible: kind.features?.incompatible ?? 0,
    page_size: pageSize(),
    control_bytes: kind.control.size,
    byte_length: BigInt(dataOffset + dataBytes),
    data_offset: BigInt(dataOffset),
    creator: new Uint8Array(creator),
    message_name: message?.name ?? "",
    part_bytes: BigInt(kind.mirrored ? partBytes : 0),
    reserved: new Uint8Array(24),
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
  return header;
}

/** The expectations of an opener. */
export interface Expectation {
  /** The type of region. */
  readonly kind: RegionKind;
  /** The exact number of data bytes, if it matters. */
  readonly dataBytes?: number | undefined;
  /** The exact number of bytes in each part that is mapped twice, if it matters. */
  readonly partBytes?: number | undefined;
  /** The message type, if it matters. */
  readonly message?: MessageType | undefined;
}

/** Throws unless this header, in a file of this length, is the expected one. */
export function checkHeader(
  header: RegionHeader,
  fileBytes: number,
  expected: Expectation,
  what: string,
): void {
  const { kind, dataBytes, partBytes, message } = expected;
  const known = kind.features?.incompatible ?? 0;
  const unknown = (header.incompatible & ~known) >>> 0;
  const mismatches: (readonly [differs: boolean, state: string, remedy?: string])[] = [
    [header.kind !== kind.name, `it is of kind "${header.kind}", not "${kind.name}"`],
    [
      header.abi_hash !== kind.control.hash,
      `its control block has layout ${hex(header.abi_hash)}, and this code has ` +
      `${hex(kind.control.hash)}: it was made by another version`,
    ],
    [unknown !== 0, `it uses features that this version does not know (bits 0x${hex(unknown)})`],
    [
      header.page_size !== pageSize(),
      `it was made for pages of ${header.page_size} bytes, and pages here have ${pageSize()}`,
    ],
    [
      message !== undefined && header.message_hash !== message.hash,
      `its messages are ${describe(header)}, not "${message?.name}" (${hex(message?.hash ?? 0n)})`,
      header.message_hash === 0n ? "" : `open it with ${openerOf(header, kind)}, `,
    ],
    [
      dataBytes !== undefined && dataBytes !== dataBytesOf(header),
      `it holds ${dataBytesOf(header)} bytes, not ${dataBytes}`,
    ],
    [
      partBytes !== undefined && partBytes !== partBytesOf(header),
      `its parts have ${partBytesOf(header)} bytes each, not ${partBytes}`,
    ],
  ];
  for (const [differs, state, remedy = ""] of mismatches) {
    if (!differs) continue;
    throw new LayoutMismatchError(
      `Cannot open ${what}: ${state}; ${remedy}use another name, or unlink it once nobody uses it`,
    );
  }
  checkExtent(header, fileBytes, kind, what);
}

/** Throws unless the sizes in the header agree with the file and with each other. */
function checkExtent(
  header: RegionHeader,
  fileBytes: number,
  kind: RegionKind,
  what: string,
): void {
  const { control_bytes, data_offset, byte_length } = header;
  const agrees = control_bytes === kind.control.size &&
    data_offset === BigInt(dataOffsetOf(kind)) && byte_length === BigInt(fileBytes) &&
    byte_length >= data_offset &&
    isDataSize(kind, dataBytesOf(header), kind.mirrored ? partBytesOf(header) : undefined) &&
    (kind.mirrored || header.part_bytes === 0n);
  if (agrees) return;
  throw new CorruptRegionError(
    `Cannot open ${what}: its header states ${byte_length} bytes with data from ` +
      `${data_offset}, and the file has ${fileBytes}; unlink it`,
  );
}

/**
 * Whether a region of this type can hold this many bytes of data; mirrored data takes whole pages.
 */
export function isDataSize(kind: RegionKind, dataBytes: number, partBytes = dataBytes): boolean {
  if (!Number.isSafeInteger(dataBytes) || dataBytes < 0 || dataBytes > LARGEST_BYTES) return false;
  if (!kind.mirrored) return true;
  const parts = dataBytes / partBytes;
  return partBytes > 0 && partBytes % pageSize() === 0 && Number.isInteger(parts) &&
    parts >= 1 && parts <= (kind.mostParts ?? 1);
}

/** The number of data bytes in a region with this header. */
export function dataBytesOf(header: RegionHeader): number {
  return Number(header.byte_length - header.data_offset);
}

/** The number of bytes in each part of its data that is mapped twice. */
export function partBytesOf(header: RegionHeader): number {
  return Number(header.part_bytes);
}

function describe(header: RegionHeader): string {
  if (header.message_hash === 0n) return "of no declared type";
  return `"${header.message_name}" (${hex(header.message_hash)})`;
}

/** What a region with these messages is opened with. */
function openerOf({ message_name: name }: RegionHeader, { openedWith }: RegionKind): string {
  return openedWith?.(name) ?? `the codec of "${name}"`;
}

/** Writes a hash as people compare it: in hexadecimal. */
function hex(value: bigint | number): string {
  return value.toString(16);
}
