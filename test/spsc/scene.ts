/**
 * What the tests of rings with one producer and one consumer share: the inside of a ring, to be
 * looked at and changed.
 *
 * @module
 */

import { bytes } from "../../src/codec.ts";
import type { Region } from "../../src/region/region.ts";
import { regionPath } from "../../src/region/names.ts";
import { Word32 } from "../../src/memory/word.ts";
import { LANE, type LanePlace } from "../../src/lane/lane.ts";
import { SPSC, SPSC_CONTROL } from "../../src/spsc/spsc.ts";
import type { RingMessage } from "../../src/lane/message.ts";
import type { Type, Value } from "../../src/message.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { Doorbell } from "../../src/wait/doorbell.ts";
import { Name } from "../shared/scene.ts";
import { joinRegion, openRegion } from "../region/opening.ts";

/** The smallest ring there is where pages have 4 KiB; where they are larger, one page. */
export const CAPACITY = 4096;

/** A member of a ring that is neither producer nor consumer. While it is open the ring lives. */
export class Inside implements Disposable {
  readonly region: Region;
  /** Where both ends find their words. */
  readonly place: LanePlace & { readonly dataBell: Doorbell; readonly spaceBell: Doorbell };
  readonly head: Word32;
  readonly tail: Word32;
  readonly taken: Word32;
  readonly producer: Word32;
  readonly consumer: Word32;
  readonly cutAt: Word32;
  readonly cuts: Word32;
  readonly #name: Name | undefined;

  /** Joins the ring of this name, or makes one; without a name, one that nobody else has. */
  constructor(name?: string, dataBytes = CAPACITY) {
    this.#name = name === undefined ? new Name() : undefined;
    const path = regionPath(SPSC.name, name ?? this.#name!.name);
    this.region = joinRegion(SPSC, path) ??
      openRegion(SPSC, path, { dataBytes, message: bytes().type });
    const { mapping, controlOffset, dataOffset } = this.region;
    const { fields } = SPSC_CONTROL;
    const control = controlOffset + fields.lane.offset;
    this.place = {
      what: "the ring of a test",
      mapping,
      control,
      data: dataOffset,
      capacity: this.region.dataBytes,
      dataBell: new Doorbell(mapping, fields.data_bell, controlOffset),
      spaceBell: new Doorbell(mapping, fields.space_bell, controlOffset),
    };
    this.head = new Word32(mapping, LANE.fields.head, control);
    this.tail = new Word32(mapping, LANE.fields.tail, control);
    this.taken = new Word32(mapping, LANE.fields.taken, control);
    this.producer = new Word32(mapping, fields.producer, controlOffset);
    this.consumer = new Word32(mapping, fields.consumer, controlOffset);
    this.cutAt = new Word32(mapping, fields.cut_at, controlOffset);
    this.cuts = new Word32(mapping, fields.cuts, controlOffset);
  }

  /** The data, mapped twice. */
  get data(): Uint8Array<ArrayBuffer> {
    return this.region.mapping.bytes.subarray(this.place.data);
  }

  /** One of the four numbers of which a pair belongs to the tail. */
  set count(to: { at: number; is: number }) {
    const { mapping, control } = this.place;
    mapping.doubles[(control + LANE.fields.counts.offset) / 8 + to.at] = to.is;
  }

  /** The length in front of the message at a position. */
  set length(to: { at: number; is: number }) {
    const { data, capacity } = this.place;
    this.region.mapping.doubles[(data + to.at % capacity) / 8] = to.is;
  }

  /** As if so many bytes had been sent and received; `taken` lags as far behind as is said. */
  startAt(position: number, lag = 0): this {
    this.head.store(position);
    this.tail.store(position);
    this.taken.store((position - lag) >>> 0);
    return this;
  }

  [Symbol.dispose](): void {
    this.region.close();
    this.#name?.[Symbol.dispose]();
  }
}

/** Both ends of a ring that nobody else uses. */
export class Pair implements Disposable {
  readonly name = new Name();
  readonly ring = spsc(this.name.name, { capacity: CAPACITY });
  readonly producer = this.ring.producer();
  readonly consumer = this.ring.consumer();

  [Symbol.dispose](): void {
    this.producer.close();
    this.consumer.close();
    this.name[Symbol.dispose]();
  }
}

/** The value that was received. */
export function valueOf<T>(message: { readonly value: T } | undefined): T {
  if (message !== undefined) return message.value;
  throw new Error("Cannot take a value: nothing was received");
}

/** The parts of a message of a ring that has no others. */
export function plain<K extends Type>(message: RingMessage<K> | undefined) {
  const { value, sequence, lost, redelivered } = message!;
  return { value: value as Value<K>, sequence, lost, redelivered };
}
