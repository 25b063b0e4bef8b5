/**
 * Many producers, one consumer: a lane for each producer, and one bell.
 *
 * ```
 *   producer 0 --> lane 0 ==\\
 *   producer 1 --> lane 1 ====> consumer      one word of hints, one bell, turns
 *   producer 2 --> lane 2 ==/
 * ```
 *
 * A lane is a ring from one to one (lane.ts), so producers never meet. The order of each producer's
 * messages is kept, and a full lane stops its own producer only. fan_in.ts chooses the next lane to
 * read.
 *
 * Each producer has a seat (seats.ts), whose words are a lane and a generation: the number of
 * producers that had the seat. A newcomer takes a seat only when its lane is drained, and
 * increments the generation before its first message.
 *
 * I1  All messages in a lane are from one producer, the one of the lane's generation. So a message
 *     of a dead producer is never taken for one of its successor.
 * C1  A producer dies: its published messages stay, and once the consumer has read them another
 *     producer can take the seat. Unpublished messages vanish (lane.ts, C1). The consumer finds a
 *     message that was published without a hint (fan_in.ts, C1).
 * C2  A producer is lost (endpoint.ts): a consumer that waits for no other one gets a PeerLostError
 *     once all producers are gone and every lane is drained. A producer that takes the seat before
 *     that replaces the lost one.
 * C3  A peer corrupts the positions of a lane, and the consumer closes or dies: the next consumer
 *     that opens empties that lane and throws once, so the attempt after that serves all lanes.
 *
 * Load buffering: as in lane.ts, for each lane. The consumer loads a seat's generation after the head,
 * an acquire, and the next producer of the seat stores it after it has acquired the tail and found the
 * lane drained.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { RoleTakenError } from "../errors.ts";
import { layout } from "../layout/layout.ts";
import type { Product } from "../region/open.ts";
import type { Region } from "../region/region.ts";
import { nextGeneration, type Seat, Seats, takeRole } from "../region/seats.ts";
import type { RegionType } from "../region/header.ts";
import { Word32 } from "../memory/word.ts";
import { Doorbell } from "../wait/doorbell.ts";
import type { Entered, RingHandleOptions } from "../lane/definition.ts";
import { type RingGeometry, ringProduct } from "../lane/geometry.ts";
import { Endpoint, type LaneEnd } from "../lane/endpoint.ts";
import { HintedBell } from "../lane/fan_in.ts";
import { LANE, type LanePlace } from "../lane/lane.ts";

/** The most producers that a ring can have. */
export const MOST_PRODUCERS = 64;

const USUAL_PRODUCERS = 8;

/** The words of one producer's seat. */
export const MPSC_SEAT = layout("mpsc_seat", {
  lane: { type: LANE, doc: "the positions" },
  space_bell: {
    type: "u32",
    line: true,
    doc: "rung by the consumer; raised by a waiting producer",
  },
  producer: {
    type: "u32",
    atomic: true,
    doc: "the producer: 0 never existed, 1 open, 2 ended, 3 lost",
  },
  generation: { type: "u32", atomic: true, doc: "the number of producers that had this seat" },
  space_loop: {
    type: "u32",
    atomic: true,
    doc: "the FIFO of the producer's event loop; 0 if none",
  },
});

/** The control block of a ring from many producers to one consumer. */
export const MPSC_CONTROL = layout("mpsc_control", {
  hint: { type: "u32", atomic: true, doc: "bit k: lane k or k + 32 may hold a message" },
  data_bell: {
    type: "u32",
    atomic: true,
    doc: "rung by producers, after the hint; raised by the consumer",
  },
  data_loop: { type: "u32", atomic: true, doc: "the FIFO of the consumer's event loop; 0 if none" },
  consumer: { type: "u32", line: true, doc: "the consumer: 0 never existed, 1 open, 2 closed" },
  seats: { type: layout.array(MPSC_SEAT, MOST_PRODUCERS), doc: "one for each producer" },
});

/** The region type of these rings. */
export const MPSC: RegionType = {
  name: "mpsc",
  title: "ring",
  control: MPSC_CONTROL,
  mirrored: true,
  mostParts: MOST_PRODUCERS,
};

const CONSUMER_ROLE = 0;

/** The role of the first producer's seat. */
const FIRST_PRODUCER_ROLE = 1;

/** These rings, for the opener. */
export const MPSC_RING: Product<RingGeometry> = ringProduct(MPSC, {
  option: "producers",
  most: MOST_PRODUCERS,
  usual: USUAL_PRODUCERS,
  lanesEach: 1,
});

/** The words of a ring. */
export class Board {
  readonly region: Region;
  readonly hint: Word32;
  readonly dataBell: Doorbell;
  readonly consumer: Seat;
  /** The most producers. */
  readonly producers: number;
  /** The producers' seats. */
  readonly seats: Seats;
  readonly #what: string;

  constructor(name: string, region: Region) {
    const { mapping, controlOffset: control } = region;
    const { fields } = MPSC_CONTROL;
    this.region = region;
    this.#what = `ring "${name}"`;
    this.hint = new Word32(mapping, fields.hint, control);
    this.dataBell = new Doorbell(mapping, fields.data_bell, control, fields.data_loop);
    const state = new Word32(mapping, fields.consumer, control);
    this.consumer = { role: CONSUMER_ROLE, state };
    this.producers = region.dataBytes / region.partBytes;
    this.seats = new Seats(region, { firstRole: FIRST_PRODUCER_ROLE, count: this.producers });
  }

  /** Returns the offset of the words of a producer's seat. */
  #seatAt(id: number): number {
    return this.region.controlOffset + MPSC_CONTROL.fields.seats.offset + id * MPSC_SEAT.size;
  }

  /** Returns a producer's seat. */
  seat(id: number): Seat {
    const state = new Word32(this.region.mapping, MPSC_SEAT.fields.producer, this.#seatAt(id));
    return { role: this.seats.roleOf(id), state };
  }

  /** Returns the word that counts the producers of a seat. */
  generation(id: number): Word32 {
    return new Word32(this.region.mapping, MPSC_SEAT.fields.generation, this.#seatAt(id));
  }

  /** Returns the place of a producer's lane. */
  place(id: number): LanePlace & { readonly spaceBell: Doorbell } {
    const { mapping, dataOffset, partBytes: capacity } = this.region;
    const at = this.#seatAt(id);
    const { lane, space_bell, space_loop } = MPSC_SEAT.fields;
    return {
      what: `lane ${id} of ${this.#what}`,
      mapping,
      control: at + lane.offset,
      data: dataOffset + 2 * id * capacity,
      capacity,
      dataBell: new HintedBell(this.hint, id, this.dataBell),
      spaceBell: new Doorbell(mapping, space_bell, at, space_loop),
    };
  }

  /** Whether a lane is empty. */
  isDrained(id: number): boolean {
    const { mapping } = this.region;
    const control = this.#seatAt(id) + MPSC_SEAT.fields.lane.offset;
    const head = new Word32(mapping, LANE.fields.head, control);
    return head.load() === new Word32(mapping, LANE.fields.tail, control).load();
  }
}

/** A seat that was taken. */
interface Taken {
  readonly id: number;
  readonly generation: number;
}

/** Takes a seat whose lane is drained, or returns the reason why it cannot. */
function tryTake(board: Board, id: number | undefined): Taken | "alive" | "undrained" {
  let reason: "alive" | "undrained" = "alive";
  const taken = board.seats.take({
    only: id,
    suits: (seat) => {
      if (board.isDrained(seat)) return true;
      if (!board.seats.isHeld(seat)) {
        board.place(seat).dataBell.ring(); // its producer may have died before it rang
        reason = "undrained";
      }
      return false; // without holding the seat: that would make its producer seem alive
    },
    clear: (seat) => { // only the consumer can clear it, by draining the lane
      if (board.isDrained(seat)) return true;
      reason = "undrained"; // another producer took it meanwhile, and died
      return false;
    },
  });
  if (taken === undefined) return reason;
  return { id: taken.index, generation: nextGeneration(board.generation(taken.index)) }; // I1
}

function checkId(board: Board, name: string, id: number | undefined): void {
  const { producers } = board;
  if (id === undefined || Number.isInteger(id) && id >= 0 && id < producers) return;
  throw new RangeError(
    `Cannot open ring "${name}" as producer ${inWords(id)}: its producers are 0 to ${
      producers - 1
    }`,
  );
}

function noSeat(name: string, id: number | undefined, reason: "alive" | "undrained"): Error {
  const who = id === undefined ? "a producer" : `producer ${id}`;
  const state = id === undefined
    ? { alive: "all are alive", undrained: "no free lane has been read to its end" }
    : { alive: "it has one, which is alive", undrained: "its last messages are still unread" };
  const remedy = {
    alive: id === undefined
      ? "close one, wait with nextProducer(), or define the ring for more producers"
      : "close that first, wait for it with nextProducer(), or leave the id out",
    undrained: "let the consumer read, or wait with nextProducer()",
  };
  return new RoleTakenError(
    `Cannot open ring "${name}" as ${who}: ${state[reason]}; ${remedy[reason]}`,
  );
}

/** A producer's end and its number. */
export interface ProducerEnd extends LaneEnd {
  readonly id: number;
  readonly generation: number;
}

/** The options of a producer. */
export interface MpscProducerOptions extends RingHandleOptions {
  /** The number of the lane to take, below `producers`; by default the first free one. */
  id?: number | undefined;
}

/** Takes a seat. Throws a RoleTakenError when every lane is in use or still to be drained. */
export function takeSeat(
  name: string,
  { region, id: only, onPeerGone }: Entered & MpscProducerOptions,
): ProducerEnd {
  using stack = new DisposableStack();
  stack.use(region);
  const board = new Board(name, region);
  checkId(board, name, only);
  const taken = tryTake(board, only);
  if (typeof taken === "string") throw noSeat(name, only, taken);
  const { id, generation } = taken;
  const end = new Endpoint({
    name,
    region,
    own: board.seat(id).state,
    peers: [board.consumer],
    peerName: "consumer",
    action: "send through",
    waits: onPeerGone === "wait",
  });
  const place = board.place(id);
  stack.move();
  return { end, place, bell: place.spaceBell, id, generation };
}

/** The consumer's end, with the words of the ring. */
export interface ConsumerEnd {
  readonly end: Endpoint;
  readonly board: Board;
}

/** Takes the consumer's role; throws a RoleTakenError if a living party holds it. */
export function takeConsumer(
  name: string,
  { region, onPeerGone }: Entered & RingHandleOptions,
): ConsumerEnd {
  using stack = new DisposableStack();
  stack.use(region);
  const board = new Board(name, region);
  takeRole(region, CONSUMER_ROLE, {
    action: `open ring "${name}" as its consumer`,
    next: "nextConsumer",
  });
  const end = new Endpoint({
    name,
    region,
    own: board.consumer.state,
    peers: Array.from({ length: board.producers }, (_, id) => board.seat(id)),
    peerName: "producer",
    action: "receive from",
    waits: onPeerGone === "wait",
  });
  stack.move();
  return { end, board };
}
