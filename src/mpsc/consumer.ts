/**
 * The receiving end of a ring from many producers to one consumer.
 *
 * @module
 */

import { checkHandler, checkLimit } from "../arguments.ts";
import { type Codec, codec } from "../codec.ts";
import { CorruptRegionError } from "../errors.ts";
import type { Word32 } from "../memory/word.ts";
import type { Doorbell } from "../wait/doorbell.ts";
import { checkedRing } from "../lane/geometry.ts";
import { type BatchOwner, Entry } from "../lane/batch.ts";
import { FanIn, TURN } from "../lane/fan_in.ts";
import { beginLane, type LanePlace, LaneReceiver } from "../lane/lane.ts";
import {
  type BatchMessage,
  type ReceivedValue,
  Sample,
  type ShownMessage,
  type TakenMessage,
} from "../lane/message.ts";
import { MessageReceiver } from "../lane/receiver.ts";
import type { LaneSource } from "../lane/source.ts";
import type { Region } from "../region/region.ts";
import {
  type Board,
  type ConsumerEnd,
  type MpscConnectOptions,
  type MpscOptions,
  RINGS,
  takeConsumer,
} from "./mpsc.ts";

/**
 * The producer of a message. A producer's number and the message's `sequence` identify the message
 * in its ring: a lane counts on when another producer takes it.
 */
export interface Origin {
  /** The number of the producer's lane. */
  readonly producer: number;
  /** The number of producers that lane had so far; it differs for each producer of the lane. */
  readonly generation: number;
}

/** A received value and its producer. */
export interface MpscValue<T> extends ReceivedValue<T>, Origin {}

/** A message in place and its producer. */
export interface MpscMessage extends TakenMessage, Origin {}

/** A message of a batch and its producer. */
export interface MpscBatchMessage<T> extends BatchMessage<T>, Origin {}

/** A producer's lane, as the consumer sees it. */
class ProducerLane extends LaneReceiver implements Origin {
  readonly producer: number;
  readonly #generation: Word32;
  generation = 0;

  constructor(place: LanePlace, producer: number, generation: Word32) {
    super(place);
    this.producer = producer;
    this.#generation = generation;
    this.generation = generation.load();
  }

  /** Looks for messages. While any is unread, the generation is its producer's (mpsc.ts, I1). */
  override look(): number {
    const length = super.look();
    if (length > 0) this.generation = this.#generation.load();
    return length;
  }
}

/** Returns the lanes of a new consumer; throws if it had to empty one (mpsc.ts, C3). */
function beginLanes(board: Board): ProducerLane[] {
  let emptied: string | undefined;
  const lanes = Array.from({ length: board.producers }, (_, id) => {
    const place = board.place(id);
    const make = () => new ProducerLane(place, id, board.generation(id));
    return beginLane(place, "tail", make, () => emptied ??= place.what);
  });
  if (emptied === undefined) return lanes;
  throw new CorruptRegionError(
    `Cannot open ${emptied}: a peer corrupted its positions, and its messages are lost; open the ` +
      "ring again, which serves all lanes",
  );
}

class OriginSample extends Sample implements MpscMessage {
  readonly producer: number;
  readonly generation: number;

  constructor({ producer, generation }: Origin, message: ShownMessage, release: () => void) {
    super(message, release);
    this.producer = producer;
    this.generation = generation;
  }
}

class OriginEntry<T> extends Entry<T> implements MpscBatchMessage<T> {
  readonly producer: number;
  readonly generation: number;

  constructor(lane: ProducerLane, length: number, owner: BatchOwner<T>) {
    super(lane, length, owner);
    this.producer = lane.producer;
    this.generation = lane.generation;
  }
}

/** The lanes of all producers, in turns. */
class ProducerLanes<T> extends FanIn<ProducerLane>
  implements LaneSource<T, MpscValue<T>, MpscMessage, MpscBatchMessage<T>> {
  readonly bell: Doorbell;

  constructor(board: Board) {
    super(beginLanes(board), board.hint);
    this.bell = board.dataBell;
  }

  received(
    lane: ProducerLane,
    value: T,
    redelivered: boolean,
    sequence: number,
  ): MpscValue<T> {
    const { producer, generation } = lane;
    return { state: "ok", value, redelivered, sequence, producer, generation };
  }

  taken(lane: ProducerLane, message: ShownMessage, release: () => void): MpscMessage {
    return new OriginSample(lane, message, release);
  }

  entry(lane: ProducerLane, length: number, owner: BatchOwner<T>): OriginEntry<T> {
    return new OriginEntry(lane, length, owner);
  }
}

/**
 * The one consumer of a ring with many producers. It serves them in turn; each message carries the
 * number of its producer.
 *
 * Once all producers are gone, one that was lost causes a PeerLostError, unless another producer has
 * taken its place. Messages that state what is complete, such as the last one of a file, tell more.
 *
 * A producer that corrupts its lane causes one CorruptRegionError, and its lane is not read
 * again; other lanes keep working. A lane whose positions are corrupt when a consumer opens it is
 * emptied: that attempt throws the error, and the next one succeeds.
 *
 * @example Every value of every producer
 * ```ts
 * import { codec, MpscConsumer, MpscProducer } from "@vring/vring";
 *
 * const numbers = codec.json<number>();
 * using consumer = MpscConsumer.create("example-sums", { producers: 2, codec: numbers });
 * using producer = await MpscProducer.connect("example-sums", { codec: numbers });
 * await producer.sendBatch([1, 2, 3]);
 * producer.end();
 * for await (const value of consumer) console.log(value); // 1, 2, 3
 * ```
 */
export class MpscConsumer<T = Uint8Array>
  extends MessageReceiver<T, MpscValue<T>, MpscMessage, MpscBatchMessage<T>> {
  /** The largest number of producers. */
  readonly producers: number;
  readonly #source: ProducerLanes<T>;

  private constructor({ end, board }: ConsumerEnd, codec: Codec<T>) {
    const source = new ProducerLanes<T>(board);
    super(end, source, codec);
    this.producers = board.producers;
    this.#source = source;
  }

  /** Opens or creates a ring of bytes as its consumer. */
  static open(
    name: string,
    options?: MpscOptions<Uint8Array<ArrayBuffer>>,
  ): MpscConsumer<Uint8Array<ArrayBuffer>>;
  /** Opens or creates a ring of values as its consumer; throws RoleTakenError if one is alive. */
  static open<T>(name: string, options: MpscOptions<T> & { codec: Codec<T> }): MpscConsumer<T>;
  static open<T>(name: string, options: MpscOptions<T> = {}): MpscConsumer<T> {
    options = checkedRing(name, options);
    return MpscConsumer.#on(name, RINGS.open(name, options), options);
  }

  /** Creates a ring of bytes; throws OsError (EEXIST) if the name is in use. */
  static create(
    name: string,
    options?: MpscOptions<Uint8Array<ArrayBuffer>>,
  ): MpscConsumer<Uint8Array<ArrayBuffer>>;
  /** Creates a ring of values; throws OsError (EEXIST) if the name is in use. */
  static create<T>(name: string, options: MpscOptions<T> & { codec: Codec<T> }): MpscConsumer<T>;
  static create<T>(name: string, options: MpscOptions<T> = {}): MpscConsumer<T> {
    options = checkedRing(name, options);
    return MpscConsumer.#on(name, RINGS.create(name, options), options);
  }

  /** Joins a ring of bytes once it exists. */
  static connect(
    name: string,
    options?: MpscConnectOptions<Uint8Array<ArrayBuffer>>,
  ): Promise<MpscConsumer<Uint8Array<ArrayBuffer>>>;
  /** Joins a ring of values once it exists; RoleTakenError if it has a living consumer. */
  static connect<T>(
    name: string,
    options: MpscConnectOptions<T> & { codec: Codec<T> },
  ): Promise<MpscConsumer<T>>;
  static async connect<T>(
    name: string,
    options: MpscConnectOptions<T> = {},
  ): Promise<MpscConsumer<T>> {
    options = checkedRing(name, options);
    return MpscConsumer.#on(name, await RINGS.connect(name, options), options);
  }

  static #on<T>(name: string, region: Region, options: MpscOptions<T>): MpscConsumer<T> {
    const at = takeConsumer(name, region, options);
    const chosen = options.codec ?? codec.bytes as unknown as Codec<T>;
    return at.end.use(() => new MpscConsumer(at, chosen));
  }

  /** Removes the name; the next opener makes a new one. Returns false if the name is unused. */
  static unlink(name: string): boolean {
    return RINGS.unlink(name);
  }

  /**
   * Shows up to `limit` messages in place, without a copy, and returns their number. A view is
   * valid until the handler returns. A lane's messages are released at the end of its turn,
   * even if the handler throws or closes this end.
   */
  poll(
    handler: (
      message: Uint8Array<ArrayBuffer>,
      origin: Origin,
      redelivered: boolean,
      sequence: number,
    ) => void,
    limit = Infinity,
  ): number {
    checkHandler(handler, "poll", this.endpoint.what);
    checkLimit(limit, 0, "poll", this.endpoint.what);
    const show = (
      bytes: Uint8Array<ArrayBuffer>,
      redelivered: boolean,
      sequence: number,
      lane: LaneReceiver,
    ) => handler(bytes, lane as ProducerLane, redelivered, sequence);
    let count = 0;
    while (count < limit) {
      const turn = this.pollLane(show, Math.min(TURN, limit - count));
      this.#source.endTurn();
      count += turn;
      if (turn === 0 || this.endpoint.closed) break;
    }
    return count;
  }
}
