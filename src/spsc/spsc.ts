/**
 * One producer, one consumer: a lane with a region and two roles.
 *
 * lane.ts moves the bytes, record.ts frames the messages, and lane/endpoint.ts describes an end. A
 * ring carries messages or plain bytes, as the message type in its header shows.
 *
 * Another producer may follow a lost one before the consumer has noticed the loss. A consumer that
 * does not wait for another producer must still detect the loss. Otherwise half a file, followed by
 * the bytes of the next producer, would look complete.
 *
 * I1  A producer that takes over from a lost one stores the head in `cut_at`, then counts up `cuts`,
 *     and then stores open. So a consumer that finds the end of the last producer finds all cuts.
 * I2  A consumer remembers the `cuts` at its opening; less one if bytes before `cut_at` are still
 *     unread. While `cuts` differs from that, the end is a loss.
 * C1  A producer dies between its cut and open: the state is still the one that it found, and the
 *     next producer counts the same cut again. Only a change means anything.
 * C2  A consumer opens while a producer takes over. It loads `cuts` before `cut_at`, so it may
 *     report a cut that is before its first byte, and never misses one. The same happens to a
 *     consumer that opens just where positions come round to an old `cut_at`, 4 GiB later.
 *
 * Load buffering: as in lane.ts. `cut_at` and `cuts` are loaded and stored by the holder of a role, and
 * the kernel's lock on the role is a barrier.
 *
 * @module
 */

import { fingerprint } from "../layout/hash.ts";
import { layout } from "../layout/layout.ts";
import type { Product } from "../region/open.ts";
import type { Region } from "../region/region.ts";
import { SeatState, takeRole } from "../region/seats.ts";
import type { MessageType, RegionType } from "../region/header.ts";
import { Word32 } from "../memory/word.ts";
import { Doorbell } from "../wait/doorbell.ts";
import type { Entered, RingHandleOptions } from "../lane/definition.ts";
import { type RingGeometry, ringProduct } from "../lane/geometry.ts";
import { Endpoint, type LaneEnd } from "../lane/endpoint.ts";
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
  producer: {
    type: "u32",
    line: true,
    doc: "the producer: 0 never existed, 1 open, 2 ended, 3 lost",
  },
  cut_at: { type: "u32", atomic: true, doc: "the producer: the head of the last lost one" },
  cuts: { type: "u32", atomic: true, doc: "the producer: the number of lost ones" },
  data_loop: { type: "u32", atomic: true, doc: "the FIFO of the consumer's event loop; 0 if none" },
  space_loop: {
    type: "u32",
    atomic: true,
    doc: "the FIFO of the producer's event loop; 0 if none",
  },
  consumer: { type: "u32", line: true, doc: "the consumer: 0 never existed, 1 open, 2 closed" },
});

/** The message type of a ring of bytes; other rings have that of their messages. */
export const BYTE_LEVEL: MessageType = {
  name: "bytes without messages",
  hash: fingerprint("spsc level bytes"),
};

/** The region type of these rings. */
export const SPSC: RegionType = {
  name: "spsc",
  title: "ring",
  control: SPSC_CONTROL,
  mirrored: true,
  openedWith: (there, here) => {
    if (there === BYTE_LEVEL.name) return "byteRing()";
    return here === BYTE_LEVEL.name ? `spsc() with the type "${there}"` : undefined;
  },
};

/** These rings, for the opener. */
export const SPSC_RING: Product<RingGeometry> = ringProduct(SPSC);

/** The two ends, each with a role and a word. */
export type EndName = "producer" | "consumer";

const ROLES: Record<EndName, number> = { producer: 0, consumer: 1 };

/** The producers of a ring that were lost. */
class Cuts {
  readonly #region: Region;
  readonly #at: Word32;
  readonly #count: Word32;

  constructor(region: Region) {
    const { mapping, controlOffset: control } = region;
    this.#region = region;
    this.#at = new Word32(mapping, SPSC_CONTROL.fields.cut_at, control);
    this.#count = new Word32(mapping, SPSC_CONTROL.fields.cuts, control);
  }

  #lane(word: "head" | "tail"): number {
    const { mapping, controlOffset: control } = this.#region;
    const base = control + SPSC_CONTROL.fields.lane.offset;
    return new Word32(mapping, LANE.fields[word], base).load();
  }

  /** Notes that the producer with this state was lost, if it was. The caller holds its role. */
  note(state: number): void {
    if (state !== SeatState.open && state !== SeatState.lost) return;
    this.#at.store(this.#lane("head")); // I1
    this.#count.store((this.#count.load() + 1) >>> 0); // I1, C1
  }

  /** Returns a check for lost producers whose bytes a consumer that opens now can still receive. */
  since(): () => boolean {
    const count = this.#count.load(); // C2
    const tail = this.#lane("tail");
    const before = (this.#at.load() - tail) >>> 0; // unread bytes of the lost one, if this is small
    const isCut = count > 0 && before > 0 && before <= (this.#lane("head") - tail) >>> 0; // I2
    const known = isCut ? (count - 1) >>> 0 : count;
    return () => this.#count.load() !== known;
  }
}

/** Takes an end of a ring; throws a RoleTakenError if a living party holds it. */
export function takeEnd(
  name: string,
  title: EndName,
  { region, onPeerGone }: Entered & RingHandleOptions,
): LaneEnd {
  using stack = new DisposableStack();
  stack.use(region);
  const { mapping, controlOffset: control, dataOffset: data, dataBytes: capacity } = region;
  const { fields } = SPSC_CONTROL;
  const peerName = title === "producer" ? "consumer" : "producer";
  const action = `open ring "${name}" as its ${title}`;
  const next = title === "producer" ? "nextProducer" : "nextConsumer";
  takeRole(region, ROLES[title], { action, next });
  const own = new Word32(mapping, fields[title], control);
  const cuts = new Cuts(region);
  if (title === "producer") cuts.note(own.load());
  const end = new Endpoint({
    name,
    region,
    own,
    peers: [{ role: ROLES[peerName], state: new Word32(mapping, fields[peerName], control) }],
    peerName,
    action: title === "producer" ? "send through" : "receive from",
    waits: onPeerGone === "wait",
    ...title === "consumer" && { wasCut: cuts.since() },
  });
  const dataBell = new Doorbell(mapping, fields.data_bell, control, fields.data_loop);
  const spaceBell = new Doorbell(mapping, fields.space_bell, control, fields.space_loop);
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
