/**
 * The receiving end of a ring from many producers to one consumer.
 *
 * @module
 */

import { checkHandler, checkLimit } from "../arguments.ts";
import { type Codec, codec } from "../codec.ts";
import { CorruptRegionError } from "../errors.ts";
import type { Word32 } from "../memory/word.ts";
import type { Condition } from "../wait/condition.ts";
import { checkedRing } from "../lane/geometry.ts";
import { FanIn, TURN } from "../lane/fan_in.ts";
import { beginLane, type LanePlace, LaneReceiver } from "../lane/lane.ts";
import {
  type Board,
  type ConsumerEnd,
  type MpscConnectOptions,
  type MpscOptions,
  RINGS,
  takeConsumer,
} from "./mpsc.ts";
import {
  MessageReceiver,
  type ReceivedValue,
  Sample,
  type TakenMessage,
} from "../lane/receiver.ts";

/** Who sent a message. */
export interface Origin {
  /** The number of the producer's lane. */
  readonly producer: number;
  /** How many producers had that lane up to this one: another number, another producer. */
  readonly generation: number;
}

/** A value that was received, and from whom. */
export interface MpscValue<T> extends ReceivedValue<T>, Origin {}

/** A message in place, and who sent it. */
export interface MpscMessage extends TakenMessage, Origin {}

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

  /** While there is something to read, the generation is that of its producer (mpsc.ts, I1). */
  override look(): number {
    const length = super.look();
    if (length > 0) this.generation = this.#generation.load();
    return length;
  }
}

/** The lanes of a new consumer; throws if it had to empty one (mpsc.ts, C2). */
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

  constructor(
    bytes: Uint8Array<ArrayBuffer>,
    redelivered: boolean,
    { producer, generation }: Origin,
    release: () => void,
  ) {
    super(bytes, redelivered, release);
    this.producer = producer;
    this.generation = generation;
  }
}

/**
 * The one consumer of a ring with many producers. It serves them in turns; each message tells whose
 * it is.
 *
 * A lane that a producer corrupts gives one CorruptRegionError and is not read from then on; the
 * others are served as before. A lane whose positions are corrupt when a consumer opens the ring is
 * emptied: that attempt throws the error, and the next one succeeds.
 *
 * @example Whatever producers have to say
 * ```ts
 * import { codec, MpscConsumer, MpscProducer } from "@vring/vring";
 *
 * const numbers = codec.json<number>();
 * using consumer = MpscConsumer.create("example-sums", { producers: 2, codec: numbers });
 * using producer = await MpscProducer.connect("example-sums", { codec: numbers });
 * await producer.sendBatch([1, 2, 3]);
 * producer.close();
 * for await (const value of consumer) console.log(value); // 1, 2, 3
 * ```
 */
export class MpscConsumer<T = Uint8Array> extends MessageReceiver<T, MpscValue<T>, MpscMessage> {
  /** How many producers there can be. */
  readonly producers: number;
  readonly #fan: FanIn<ProducerLane>;
  readonly #condition: Condition;

  private constructor({ end, board }: ConsumerEnd, codec: Codec<T>) {
    super(end, board.region.partBytes, codec);
    this.producers = board.producers;
    const lanes = beginLanes(board);
    const fan = this.#fan = new FanIn(lanes, board.hint);
    this.#condition = {
      bell: board.dataBell,
      watch: board.hint,
      ready: () => fan.look() || end.peerHasClosed(),
      // Drained, also of the last words.
      beforeSleep: () => end.peerIsLost() && !fan.look() ? "lost" : undefined,
    };
  }

  /** Opens a ring of bytes, or makes it, as its consumer. */
  static open(
    name: string,
    options?: MpscOptions<Uint8Array<ArrayBuffer>>,
  ): MpscConsumer<Uint8Array<ArrayBuffer>>;
  /** Opens a ring of values, or makes it, as its consumer; RoleTakenError if it has a living one. */
  static open<T>(name: string, options: MpscOptions<T> & { codec: Codec<T> }): MpscConsumer<T>;
  static open<T>(name: string, options: MpscOptions<T> = {}): MpscConsumer<T> {
    options = checkedRing(name, options);
    const region = RINGS.open(name, options);
    return MpscConsumer.#on(takeConsumer(name, region, options), options);
  }

  /** Makes a ring of bytes; an OsError (EEXIST) if somebody uses one of that name. */
  static create(
    name: string,
    options?: MpscOptions<Uint8Array<ArrayBuffer>>,
  ): MpscConsumer<Uint8Array<ArrayBuffer>>;
  /** Makes a ring of values; an OsError (EEXIST) if somebody uses one of that name. */
  static create<T>(name: string, options: MpscOptions<T> & { codec: Codec<T> }): MpscConsumer<T>;
  static create<T>(name: string, options: MpscOptions<T> = {}): MpscConsumer<T> {
    options = checkedRing(name, options);
    const region = RINGS.create(name, options);
    return MpscConsumer.#on(takeConsumer(name, region, options), options);
  }

  /** Joins a ring of bytes, once somebody has made it. */
  static connect(
    name: string,
    options?: MpscConnectOptions<Uint8Array<ArrayBuffer>>,
  ): Promise<MpscConsumer<Uint8Array<ArrayBuffer>>>;
  /** Joins a ring of values, once somebody has made it; RoleTakenError if it has a living consumer. */
  static connect<T>(
    name: string,
    options: MpscConnectOptions<T> & { codec: Codec<T> },
  ): Promise<MpscConsumer<T>>;
  static async connect<T>(
    name: string,
    options: MpscConnectOptions<T> = {},
  ): Promise<MpscConsumer<T>> {
    options = checkedRing(name, options);
    const region = await RINGS.connect(name, options);
    return MpscConsumer.#on(takeConsumer(name, region, options), options);
  }

  static #on<T>(at: ConsumerEnd, options: MpscOptions<T>): MpscConsumer<T> {
    const chosen = options.codec ?? codec.bytes as unknown as Codec<T>;
    return at.end.use(() => new MpscConsumer(at, chosen));
  }

  /** Removes the name, so that the next opener makes a new one; false if there is none. */
  static unlink(name: string): boolean {
    return RINGS.unlink(name);
  }

  /** How many bytes lie in all lanes, unread. */
  override get available(): number {
    this.end.checkOpen();
    return this.#fan.available;
  }

  /**
   * Shows messages in place, without a copy, until there is none or `limit` is reached, and gives how
   * many there were. A view is the handler's until it returns. A lane's messages are released
   * together at the end of its turn, also if the handler throws or closes this end.
   */
  poll(
    handler: (message: Uint8Array<ArrayBuffer>, origin: Origin, redelivered: boolean) => void,
    limit = Infinity,
  ): number {
    checkHandler(handler, "poll", this.end.what);
    checkLimit(limit, 0, "poll", this.end.what);
    const show = (bytes: Uint8Array<ArrayBuffer>, redelivered: boolean, lane: LaneReceiver) =>
      handler(bytes, lane as ProducerLane, redelivered);
    let count = 0;
    while (count < limit) {
      const turn = this.pollLane(show, Math.min(TURN, limit - count));
      this.#fan.endTurn();
      count += turn;
      if (turn === 0 || this.end.closed) break;
    }
    return count;
  }

  /** @ignore */
  protected override next(): LaneReceiver | undefined {
    return this.#fan.next();
  }

  /** @ignore */
  protected override received(
    lane: LaneReceiver,
    value: T,
    redelivered: boolean,
  ): MpscValue<T> {
    const { producer, generation } = lane as ProducerLane;
    return { state: "ok", value, redelivered, producer, generation };
  }

  /** @ignore */
  protected override taken(
    lane: LaneReceiver,
    bytes: Uint8Array<ArrayBuffer>,
    redelivered: boolean,
    release: () => void,
  ): MpscMessage {
    return new OriginSample(bytes, redelivered, lane as ProducerLane, release);
  }

  /** @ignore */
  protected override condition(): Condition {
    return this.#condition;
  }

  /** @ignore */
  protected override hasMessage(): boolean {
    return this.#fan.look();
  }

  /** @ignore */
  protected override broken(lane: LaneReceiver): void {
    this.#fan.exclude(lane as ProducerLane);
  }

  /** @ignore */
  protected override closeEnd(): void {
    this.end.close(...this.#fan.lanes.map((lane) => lane.place.spaceBell));
  }
}
