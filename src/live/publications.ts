/**
 * What a client of Foxglove's protocol publishes, into topics that exist.
 *
 * @module
 */

import { raw } from "../codec.ts";
import { describedType } from "../described.ts";
import { VringError } from "../errors.ts";
import { fitted } from "../inspect/fit.ts";
import { CDR_HEAD, rosName } from "../layout/tools/ros_message.ts";
import { type RegionInfo, regions } from "../region/list.ts";
import { topic } from "../vdds/definition.ts";

/** A channel that a client advertises. */
export interface ClientChannel {
  readonly topic: string;
  readonly encoding: string;
  readonly schemaName: string;
}

/** Publishes the messages of a channel; returns false if no sample is free. */
interface Sending {
  send(data: Uint8Array<ArrayBuffer>): boolean;
  close(): void;
}

/** The channels that one client has advertised. */
export class Publications implements Disposable {
  readonly #open = new Map<number, Sending>();

  /** Opens the publisher of a channel; returns the reason if it cannot. */
  add(id: number, channel: ClientChannel): string | undefined {
    if (this.#open.has(id)) return `the number ${id} is in use`;
    const name = channel.topic.replace(/^\//, "");
    const region = regions().find((one) => one.kind === "topic" && one.name === name);
    if (region === undefined) return "there is no such topic; start a program that opens it";
    try {
      this.#open.set(id, sendingFor(region, channel));
      return undefined;
    } catch (error) {
      return reasonIn(error);
    }
  }

  /** Publishes a message; returns the reason if it cannot. */
  publish(id: number, data: Uint8Array<ArrayBuffer>): string | undefined {
    const sending = this.#open.get(id);
    if (sending === undefined) return `the channel ${id} is not open`;
    try {
      return sending.send(data) ? undefined : "no sample is free; its subscribers hold them all";
    } catch (error) {
      return reasonIn(error);
    }
  }

  /** Closes the publisher of a channel. */
  remove(id: number): void {
    this.#open.get(id)?.close();
    this.#open.delete(id);
  }

  /** Closes all. */
  [Symbol.dispose](): void {
    for (const id of [...this.#open.keys()]) this.remove(id);
  }
}

function sendingFor({ name, details }: RegionInfo, channel: ClientChannel): Sending {
  const { type, geometry, policy } = details ?? {};
  if (type === undefined) throw new TypeError("its messages have no declared type");
  const options = { ...geometry, ...policy };
  const codec = describedType(type);
  if (channel.encoding === "json") {
    const { description } = type;
    const publisher = topic(name, { type: codec, ...options }).publisher({ open: "join" });
    return {
      send(data) {
        const value: unknown = JSON.parse(new TextDecoder().decode(data));
        return publisher.trySend(description ? fitted(value, description) : value);
      },
      close: () => publisher.close(),
    };
  }
  const own = codec.layout && rosName(codec.layout);
  if (channel.encoding !== "cdr" || own === undefined || channel.schemaName !== own) {
    const also = own === undefined ? "" : ` or cdr of ${own}`;
    throw new TypeError(
      `it takes json${also}, and not ${channel.encoding} of "${channel.schemaName}"`,
    );
  }
  const { size } = codec.layout!;
  const publisher = topic(name, { type: raw(type), ...options }).publisher({ open: "join" });
  return {
    send(data) {
      const message = data.subarray(CDR_HEAD.length);
      const isLittleEndian = data[1] === CDR_HEAD[1];
      if (message.length === size && isLittleEndian) return publisher.trySend(message);
      throw new TypeError(`its messages have ${size} bytes, little-endian, behind a head of 4`);
    },
    close: () => publisher.close(),
  };
}

/** The reason why a peer, or what a client sent, is refused. */
function reasonIn(error: unknown): string {
  const isExpected = error instanceof VringError || error instanceof TypeError ||
    error instanceof RangeError || error instanceof SyntaxError;
  if (isExpected) return error.message;
  throw error;
}
