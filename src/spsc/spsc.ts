/**
 * One producer, one consumer: a lane with a region and two roles.
 *
 * lane.ts moves the bytes, record.ts frames the messages, and lane/endpoint.ts describes an end. A
 * ring carries messages or plain bytes, as the message type in its header shows.
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
import { type EndOptions, Endpoint, type LaneEnd } from "../lane/endpoint.ts";
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
  producer: { type: "u32", line: true, doc: "the producer: 0 never existed, 1 open, 2 closed" },
  consumer: { type: "u32", line: true, doc: "the consumer: the same values" },
});

/** The message type of a ring of bytes; other rings have the type of their codec. */
const BYTE_LEVEL: MessageType = {
  name: "bytes without messages",
  hash: fingerprint("spsc level bytes"),
};

/** The region type of these rings. */
export const SPSC: RegionKind = {
  name: "spsc",
  title: "ring",
  control: SPSC_CONTROL,
  mirrored: true,
  openedWith: (messageName) => messageName === BYTE_LEVEL.name ? 'level: "bytes"' : undefined,
};

/** The two ends, each with a role and a word. */
export type EndName = "producer" | "consumer";

const ROLES: Record<EndName, number> = { producer: 0, consumer: 1 };

/** The options for opening an end of a ring from one producer to one consumer. */
export interface SpscOptions<T> extends RingOptions {
  /** The codec of the messages; plain bytes by default. Both ends must use the same. */
  codec?: Codec<T>;
  /** The contents of the ring: messages by default. Both ends must use the same. */
  level?: "messages";
  /** Keeps waiting for another end when the other end has closed or died. */
  keepOpen?: boolean;
}

/** The options for joining a ring from one producer to one consumer, once it exists. */
export interface SpscConnectOptions<T>
  extends RingConnectOptions, Pick<SpscOptions<T>, "codec" | "level" | "keepOpen"> {}

/** The options for opening an end of a ring of bytes. */
export interface SpscByteOptions extends RingOptions {
  /** The contents of the ring: bytes. Both ends must use the same. */
  level: "bytes";
  /** Keeps waiting for another end when the other end has closed or died. */
  keepOpen?: boolean;
}

/** The options for joining a ring of bytes, once it exists. */
export interface SpscByteConnectOptions
  extends RingConnectOptions, Pick<SpscByteOptions, "level" | "keepOpen"> {}

/** Returns the message type, on which both ends must agree. */
function typeOf({ level = "messages", codec: chosen = codec.bytes }: EndOptions): MessageType {
  return level === "bytes" ? BYTE_LEVEL : chosen.type;
}

/** Opens the regions of these rings. */
export const RINGS = new RingRegions<EndOptions>(ringProduct(SPSC), typeOf);

/** Takes an end of a ring; throws a RoleTakenError if a living party holds it. */
export function takeEnd(
  name: string,
  title: EndName,
  region: Region,
  options: EndOptions,
): LaneEnd {
  using stack = new DisposableStack();
  stack.use(region);
  const { mapping, controlOffset: control, dataOffset: data, dataBytes: capacity } = region;
  const { fields } = SPSC_CONTROL;
  const peerName = title === "producer" ? "consumer" : "producer";
  takeRole(region, ROLES[title], { action: `open ring "${name}" as its ${title}` });
  const end = new Endpoint({
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
