/**
 * One producer, one consumer: a lane with a region and two roles.
 *
 * How bytes travel is told in lane.ts, how messages are framed in record.ts, what an end is in
 * lane/endpoint.ts. A ring carries messages or bytes; which, its header says as the type of its messages.
 *
 * @module
 */

import { type Codec, codec } from "../codec.ts";
import { fingerprint } from "../layout/hash.ts";
import { layout } from "../layout/layout.ts";
import type { Region } from "../region/region.ts";
import { takeRole } from "../region/seats.ts";
import type { MessageType, RegionKind } from "../region/header.ts";
import { Word32 } from "../memory/word.ts";
import { Doorbell } from "../wait/doorbell.ts";
import {
  type RingConnectOptions,
  type RingOptions,
  ringProduct,
  RingRegions,
} from "../lane/geometry.ts";
import { type EndOptions, type LaneEnd, RingEnd } from "../lane/endpoint.ts";
import { LANE } from "../lane/lane.ts";

/** The control block of a ring from one producer to one consumer. */
export const SPSC_CONTROL = layout("spsc_control", {
  lane: { type: LANE, doc: "the positions" },
  data_bell: { type: "u32", line: true, doc: "rung by the producer; raised by a waiting consumer" },
  space_bell: {
    type: "u32",
    line: true,
    doc: "rung by the consumer; raised by a waiting producer",
  },
  producer: { type: "u32", line: true, doc: "the producer: 0 has never been, 1 open, 2 closed" },
  consumer: { type: "u32", line: true, doc: "the consumer: likewise" },
});

/** What the header of a ring of bytes says, where that of others names a codec. */
const BYTE_LEVEL: MessageType = {
  name: "bytes without messages",
  hash: fingerprint("spsc level bytes"),
};

/** How these rings are told from other regions. */
export const SPSC: RegionKind = {
  name: "spsc",
  title: "ring",
  control: SPSC_CONTROL,
  mirrored: true,
  openedWith: (messageName) => messageName === BYTE_LEVEL.name ? 'level: "bytes"' : undefined,
};

/** The two ends: each a role and a word. */
export type EndName = "producer" | "consumer";

const ROLES: Record<EndName, number> = { producer: 0, consumer: 1 };

/** How to open an end of a ring from one producer to one consumer. */
export interface SpscOptions<T> extends RingOptions {
  /** How values become messages; bytes as they are by default. Both ends must say the same. */
  codec?: Codec<T>;
  /** What the ring carries: messages, by default. Both ends must say the same. */
  level?: "messages";
  /** Wait on when the other end has closed or died, for another one to come. */
  keepOpen?: boolean;
}

/** How to join a ring from one producer to one consumer, once it is there. */
export interface SpscConnectOptions<T>
  extends RingConnectOptions, Pick<SpscOptions<T>, "codec" | "level" | "keepOpen"> {}

/** How to open an end of a ring of bytes without messages. */
export interface SpscByteOptions extends RingOptions {
  /** What the ring carries: bytes. Both ends must say the same. */
  level: "bytes";
  /** Wait on when the other end has closed or died, for another one to come. */
  keepOpen?: boolean;
}

/** How to join a ring of bytes without messages, once it is there. */
export interface SpscByteConnectOptions
  extends RingConnectOptions, Pick<SpscByteOptions, "level" | "keepOpen"> {}

/** What both ends must agree on. */
function typeOf({ level = "messages", codec: chosen = codec.bytes }: EndOptions): MessageType {
  return level === "bytes" ? BYTE_LEVEL : chosen.type;
}

/** Opens the regions of these rings. */
export const RINGS = new RingRegions<EndOptions>(ringProduct(SPSC), typeOf);

/** Opens the ring, or makes it, and takes an end; a RoleTakenError if a living party has it. */
export function openEnd(name: string, title: EndName, options: RingOptions & EndOptions): LaneEnd {
  return takeEnd(name, title, RINGS.open(name, options), options);
}

/** Makes the ring, and takes an end; an OsError (EEXIST) if there is one. */
export function createEnd(
  name: string,
  title: EndName,
  options: RingOptions & EndOptions,
): LaneEnd {
  return takeEnd(name, title, RINGS.create(name, options), options);
}

/** Waits for the ring to appear, and takes an end; a RoleTakenError if a living party has it. */
export async function connectEnd(
  name: string,
  title: EndName,
  options: RingConnectOptions & EndOptions,
): Promise<LaneEnd> {
  return takeEnd(name, title, await RINGS.connect(name, options), options);
}

function takeEnd(name: string, title: EndName, region: Region, options: EndOptions): LaneEnd {
  using stack = new DisposableStack();
  stack.use(region);
  const { mapping, controlOffset: control, dataOffset: data, dataBytes: capacity } = region;
  const { fields } = SPSC_CONTROL;
  const peerName = title === "producer" ? "consumer" : "producer";
  takeRole(region, ROLES[title], { action: `open ring "${name}" as its ${title}` });
  const end = new RingEnd({
    name,
    region,
    own: new Word32(mapping, fields[title], control),
    peers: [{ role: ROLES[peerName], state: new Word32(mapping, fields[peerName], control) }],
    peerName,
    action: title === "producer" ? "send through" : "receive from",
    keepOpen: options.keepOpen ?? false,
  });
  const dataBell = new Doorbell(mapping, fields.data_bell, control);
  const spaceBell = new Doorbell(mapping, fields.space_bell, control);
  const place = {
    what: end.what,
    mapping,
    control: control + fields.lane.offset,
    data,
    capacity,
    dataBell,
    spaceBell,
  };
  stack.move();
  return { end, place, bell: title === "producer" ? spaceBell : dataBell };
}
