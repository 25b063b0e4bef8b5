/**
 * A page in a browser: what it watches, and what it is sent.
 *
 * Points of curves are sent 20 times a second, images 15 times and values 10 times, however many
 * messages come; the newest replaces those that wait. Curves have a point for each message, up to
 * {@linkcode MOST_POINTS} of them at a time.
 *
 * @module
 */

import { describedType } from "../described.ts";
import { VringError } from "../errors.ts";
import { type Leaf, leavesOf, numberAt } from "../inspect/leaves.ts";
import type { PolledBytes } from "../inspect/messages.ts";
import { layoutOf } from "../record/channel.ts";
import {
  type CloudReader,
  cloudReader,
  type PictureReader,
  pictureReader,
  readFile,
} from "../record/picture.ts";
import type { RegionInfo } from "../region/list.ts";
import type { FeedListener } from "./feeds.ts";
import { cloudFrame, type Framed, pictureFrame } from "./frame.ts";
import type { Outbox } from "./outbox.ts";
import type { FromServer } from "./protocol.ts";
import type { Scene } from "./scene.ts";
import {
  listIn,
  numberIn,
  objectIn,
  ProtocolError,
  type Session,
  type Stage,
  textIn,
} from "./session.ts";
import { shownOf } from "./shown.ts";

const SERIES_MS = 50;
const PICTURE_MS = 66;
const VALUE_MS = 100;

/** The points of a curve that are sent at a time; of more, every second is left out. */
const MOST_POINTS = 512;

/** The regions that one page watches. */
const MOST_WATCHES = 200;

/** The curves of one region. */
const MOST_CURVES = 32;

/** What the page wants of a region. */
interface Wish {
  readonly curves: readonly string[];
  readonly value: boolean;
  readonly picture: boolean;
}

/** A page. */
export class PageSession implements Session {
  readonly outbox: Outbox;
  readonly #stage: Stage;
  readonly #watches = new Map<number, Watch>();

  constructor(outbox: Outbox, stage: Stage, host: string) {
    this.outbox = outbox;
    this.#stage = stage;
    this.#control({ op: "hello", host, tickMs: stage.tickMs });
    this.#control({ op: "scene", regions: stage.scene.facts });
    this.tick({ ...stage.scene, isNew: false });
  }

  #control(message: FromServer): void {
    if (!this.outbox.control(JSON.stringify(message))) {
      throw new ProtocolError("the page does not read");
    }
  }

  receive(data: string | Uint8Array<ArrayBuffer>): void {
    if (typeof data !== "string") throw new ProtocolError("the page sends no bytes");
    const { op, id, after, curves, value, picture } = objectIn(data);
    if (op === "events") {
      const events = this.#stage.scenery.eventsAfter(numberIn(after));
      this.outbox.data(JSON.stringify({ op: "events", events }), "events");
    } else if (op === "unwatch") this.#unwatch(numberIn(id));
    else if (op === "watch") {
      this.#watch(numberIn(id), {
        curves: listIn(curves, MOST_CURVES).map((path) => textIn(path)),
        value: value === true,
        picture: picture === true,
      });
    } else throw new ProtocolError("the page asks for something unknown");
  }

  #watch(id: number, wish: Wish): void {
    const region = this.#stage.scenery.regions.get(id);
    this.#unwatch(id);
    if (region === undefined) return this.#problem(id, "it is gone");
    if (this.#watches.size >= MOST_WATCHES) {
      return this.#problem(id, `this page watches ${MOST_WATCHES} regions; close one`);
    }
    this.#watches.set(id, new Watch(id, region, wish, this.#stage, this.outbox));
  }

  #unwatch(id: number): void {
    this.#watches.get(id)?.close();
    this.#watches.delete(id);
  }

  #problem(id: number, reason: string): void {
    this.outbox.data(JSON.stringify({ op: "problem", id, reason }), `problem ${id}`);
  }

  tick({ facts, isNew, hidden, rows, processes }: Scene): void {
    const send = (message: FromServer) => this.outbox.data(JSON.stringify(message), message.op);
    if (isNew) {
      send({ op: "scene", regions: facts });
      for (const watch of this.#watches.values()) watch.update();
    }
    const { lastEvent: events } = this.#stage.scenery;
    const { dropped } = this.outbox;
    send({ op: "tick", time: Date.now(), rows, hidden, processes, events, dropped });
  }

  flush(now: number): void {
    for (const watch of this.#watches.values()) watch.flush(now);
    this.outbox.flush();
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }
}

/** The properties of a message besides its value. */
interface Facts {
  readonly sequence: number;
  readonly time: number | undefined;
  readonly length: number;
}

/** A region that a page watches. */
class Watch implements FeedListener {
  readonly #id: number;
  readonly #wish: Wish;
  readonly #stage: Stage;
  readonly #outbox: Outbox;
  readonly #end: () => void;
  #region: RegionInfo;
  #decode: (bytes: Uint8Array<ArrayBuffer>) => unknown = (bytes) => bytes;
  #leaves: readonly Leaf[] = [];
  #picture: PictureReader | undefined;
  #cloud: CloudReader | undefined;
  #latest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #facts: Facts | undefined;
  #missed = 0;
  #seen = 0;
  #points: { time: number; values: (number | null)[] }[] = [];
  #sentValue = 0; // the messages seen when it was sent
  #sentPicture = 0;
  #nextSeries = 0;
  #nextPicture = 0;
  #nextValue = 0;
  #reason: string | undefined;

  constructor(id: number, region: RegionInfo, wish: Wish, stage: Stage, outbox: Outbox) {
    this.#id = id;
    this.#region = region;
    this.#wish = wish;
    this.#stage = stage;
    this.#outbox = outbox;
    this.#prepare();
    this.#end = stage.feeds.follow(id, region, this);
  }

  /** Follows the region that has the name now. */
  update(): void {
    const region = this.#stage.scenery.regions.get(this.#id);
    if (region === undefined || region.details?.id === this.#region.details?.id) return;
    this.#region = region;
    this.#prepare();
  }

  #prepare(): void {
    const { details, name } = this.#region;
    const type = details?.type;
    const layout = layoutOf(type);
    const hint = this.#stage.hintFor(name);
    this.#decode = decoderOf(type);
    const { curves } = this.#wish;
    this.#leaves = layout === undefined
      ? []
      : leavesOf(layout).filter(({ path }) => curves.includes(path));
    this.#picture = layout === undefined ? readFile : pictureReader(layout, hint);
    this.#cloud = layout && this.#picture === undefined ? cloudReader(layout) : undefined;
  }

  message({ bytes, sequence, lost, time }: PolledBytes): void {
    this.#seen++;
    this.#missed += lost;
    if (this.#leaves.length > 0) this.#add(bytes, time ?? Date.now());
    if (!this.#wish.value && !this.#wish.picture) return;
    if (this.#latest.buffer.byteLength < bytes.length) {
      this.#latest = new Uint8Array(2 * bytes.length);
    }
    this.#latest = new Uint8Array(this.#latest.buffer, 0, bytes.length);
    this.#latest.set(bytes);
    this.#facts = { sequence, time, length: bytes.length };
  }

  #add(bytes: Uint8Array<ArrayBuffer>, time: number): void {
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const values = this.#leaves.map(({ scalar, offset }) => {
      const value = numberAt(data, scalar, offset);
      return value !== undefined && Number.isFinite(value) ? value : null;
    });
    this.#points.push({ time, values });
    if (this.#points.length > MOST_POINTS) this.#points = this.#points.filter((_, i) => i % 2);
  }

  problem(reason: string | undefined): void {
    this.#tell(reason);
  }

  #tell(reason: string | undefined): void {
    if (reason === this.#reason) return;
    this.#reason = reason;
    const message = { op: "problem", id: this.#id, reason: reason ?? "" };
    this.#outbox.data(JSON.stringify(message), `problem ${this.#id}`);
  }

  flush(now: number): void {
    if (now >= this.#nextSeries && this.#points.length > 0) {
      this.#nextSeries = now + SERIES_MS;
      this.#sendSeries();
    }
    if (this.#facts === undefined) return;
    const isMoreThan = (sent: number) => this.#seen > sent;
    if (this.#wish.picture && now >= this.#nextPicture && isMoreThan(this.#sentPicture)) {
      this.#nextPicture = now + PICTURE_MS;
      this.#sentPicture = this.#seen;
      this.#sendPicture(this.#facts.sequence);
    }
    if (this.#wish.value && now >= this.#nextValue && isMoreThan(this.#sentValue)) {
      this.#nextValue = now + VALUE_MS;
      this.#sentValue = this.#seen;
      this.#sendValue(this.#facts);
    }
  }

  #sendSeries(): void {
    const points = this.#points.splice(0);
    const times = points.map(({ time }) => time);
    const values = Object.fromEntries(
      this.#leaves.map(({ path }, i) => [path, points.map((point) => point.values[i]!)]),
    );
    this.#outbox.data(JSON.stringify({ op: "series", id: this.#id, times, values }));
  }

  #sendPicture(sequence: number): void {
    const frame = this.#frame(sequence);
    if (typeof frame === "string") return this.#tell(frame);
    if (frame === undefined) return;
    this.#tell(undefined);
    this.#outbox.data(frame, `picture ${this.#id}`);
  }

  #frame(sequence: number): Framed | undefined {
    const { imageBytes } = this.#stage;
    const cloud = this.#cloud?.(this.#latest);
    if (cloud !== undefined) return cloudFrame(cloud, this.#id, sequence, imageBytes);
    const picture = this.#picture?.(this.#latest);
    return picture && pictureFrame(picture, this.#id, sequence, imageBytes);
  }

  #sendValue({ sequence, time, length }: Facts): void {
    let value: unknown;
    try {
      value = this.#decode(this.#latest);
    } catch (error) {
      // what a peer wrote need not have the type that it states
      value = `cannot be decoded: ${error instanceof Error ? error.message : error}`;
    }
    const message = {
      op: "value",
      id: this.#id,
      sequence,
      time: time ?? null,
      length,
      missed: this.#missed,
      value: shownOf(value),
    };
    this.#outbox.data(JSON.stringify(message), `value ${this.#id}`);
  }

  close(): void {
    this.#end();
  }
}

function decoderOf(type: Parameters<typeof layoutOf>[0]) {
  try {
    const codec = type && describedType(type);
    return (bytes: Uint8Array<ArrayBuffer>): unknown => codec ? codec.decode(bytes) : bytes;
  } catch (error) {
    if (error instanceof VringError || error instanceof TypeError) {
      return (bytes: Uint8Array<ArrayBuffer>): unknown => bytes;
    }
    throw error;
  }
}
