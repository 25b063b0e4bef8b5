/**
 * The receiving end of a ring from many producers to one consumer.
 *
 * @module
 */

import { CorruptRegionError } from "../errors.ts";
import type { Bytes, Type, Value } from "../message.ts";
import type { Word32 } from "../memory/word.ts";
import type { Doorbell } from "../wait/doorbell.ts";
import { FanIn, TURN } from "../lane/fan_in.ts";
import { beginLane, type LanePlace, LaneReceiver } from "../lane/lane.ts";
import {
  type AnyCodec,
  type Holder,
  type RingMessage,
  Shown,
  type ShownMessage,
} from "../lane/message.ts";
import { MessageReceiver } from "../lane/receiver.ts";
import type { LaneSource } from "../lane/source.ts";
import type { Board, ConsumerEnd } from "./mpsc.ts";

/**
 * The producer of a message. A producer's number and the message's `sequence` identify the message
 * in its ring: a lane counts on when another producer takes it.
 */
export interface FromProducer {
  /** The number of the producer's lane. */
  readonly producer: number;
  /** The number of producers that the lane has had, including the sender of this message. */
  readonly generation: number;
}

/** A producer's lane, as the consumer sees it. */
class ProducerLane extends LaneReceiver implements FromProducer {
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

/** A message in place, and its producer. */
class ShownFrom<K extends Type> extends Shown<K> implements FromProducer {
  producer = 0;
  generation = 0;

  override show(lane: ProducerLane, length: number): this {
    this.producer = lane.producer;
    this.generation = lane.generation;
    return super.show(lane, length);
  }
}

/** The lanes of all producers, in turns. */
class ProducerLanes<K extends Type> extends FanIn<ProducerLane>
  implements LaneSource<K, FromProducer> {
  readonly bell: Doorbell;

  constructor(board: Board) {
    super(beginLanes(board), board.hint);
    this.bell = board.dataBell;
  }

  copied(
    { producer, generation }: ProducerLane,
    value: Value<K>,
    redelivered: boolean,
    sequence: number,
  ): RingMessage<K> & FromProducer {
    return { value, sequence, lost: 0, redelivered, producer, generation };
  }

  shown(holder: Holder<K>): ShownFrom<K> {
    return new ShownFrom(holder);
  }
}

/**
 * The one consumer of a ring with many producers; `mpsc(name).consumer()` opens it. It serves the
 * producers in turns, and each message carries the number of its producer.
 *
 * Once all producers are gone, the consumer throws a PeerLostError if one of them was lost and no
 * other took its lane. To tell which data is complete, send a message that says so at its end.
 *
 * If a producer corrupts its lane, the consumer throws one CorruptRegionError and stops reading
 * that lane; other lanes keep working. A consumer that finds corrupt positions when it opens
 * empties that lane and throws the error; the next attempt succeeds.
 *
 * @example Every value of every producer
 * ```ts
 * import { json, mpsc } from "@vring/vring";
 *
 * const sums = mpsc("example-sums", { producers: 2, type: json<number>() });
 * using consumer = sums.consumer();
 * using producer = sums.producer(); // in another process
 * await producer.sendBatch([1, 2, 3]);
 * producer.end();
 * for await (const value of consumer) console.log(value); // 1, 2, 3
 * ```
 */
export class MpscConsumer<K extends Type = Bytes> extends MessageReceiver<K, FromProducer> {
  /** The most producers at a time. */
  readonly producers: number;
  readonly #source: ProducerLanes<K>;

  /** @ignore */
  constructor({ end, board }: ConsumerEnd, codec: AnyCodec, own?: boolean) {
    const source = new ProducerLanes<K>(board);
    super({ end, source, codec, own });
    this.producers = board.producers;
    this.#source = source;
  }

  /** @ignore */
  protected override pollLanes(
    handler: (message: ShownMessage<K> & FromProducer) => void,
    limit: number,
  ): number {
    let count = 0;
    while (count < limit) {
      const turn = this.pollLane(handler, Math.min(TURN, limit - count));
      this.#source.endTurn();
      count += turn;
      if (turn === 0 || this.closed) break;
    }
    return count;
  }
}
