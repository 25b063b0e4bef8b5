/**
 * The answers to a client: takes them from the lanes of its servers and settles their calls.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import type { Endpoint } from "../lane/endpoint.ts";
import { recordBytes, recordLength } from "../lane/record.ts";
import type { CallTypes } from "./calls.ts";
import type { Link } from "./link.ts";
import { Envelope, errorFrom, Kind, messageBytes } from "./message.ts";
import type { Call } from "./pending.ts";

/** The parts of a client that take its answers. */
export interface AnswersParts {
  readonly types: CallTypes;
  /** Whether each answer of bytes has a buffer of its own. */
  readonly own: boolean;
  readonly generation: number;
}

/** Takes the answers to one client. */
export class Answers {
  /** The number of answers without a call, since it was cleared. Each counts for fairness.ts. */
  strays = 0;
  readonly #end: Endpoint;
  readonly #type: Codec<unknown>;
  readonly #generation: number;
  readonly #envelope: Envelope;

  constructor(end: Endpoint, { types, own, generation }: AnswersParts) {
    this.#end = end;
    this.#type = types.response;
    this.#envelope = new Envelope(own);
    this.#generation = generation;
  }

  /**
   * Takes the answers that a server has sent, at most one lane full, and returns their number.
   * Passes the calls that the server refused to `refused`. The codec may close the client.
   */
  take(link: Link, refused: (call: Call) => void): number {
    const lane = link.responses;
    const most = lane.capacity / messageBytes(0);
    const envelope = this.#envelope;
    let count = 0;
    for (; count < most; count++) {
      const length = this.#end.closed ? -1 : recordLength(lane);
      if (length < 0) break;
      envelope.read(lane, length);
      const { call: number, kind, generation, bodyBytes } = envelope;
      const call = generation === this.#generation ? link.calls.take(number) : undefined;
      if (call === undefined) {
        lane.release(recordBytes(length));
        this.strays++;
      } else if (kind === Kind.ok && call.target !== undefined) {
        const copied = envelope.copyBody(lane, call.target);
        lane.release(recordBytes(length));
        if (copied >= 0) call.resolve(copied);
        else call.reject(this.#misfit(bodyBytes, call.target.length));
      } else {
        const body = envelope.readBody(lane, this.#type);
        lane.release(recordBytes(length));
        if (kind === Kind.ok) this.#decode(call, body);
        else if (kind === Kind.refused) refused(call);
        else call.reject(errorFrom(body, lane.place.what));
      }
    }
    return count;
  }

  #decode(call: Call, body: Uint8Array<ArrayBuffer>): void {
    try {
      call.resolve(this.#envelope.decode(this.#type, body));
    } catch (error) {
      call.reject(error);
    }
  }

  #misfit(bytes: number, room: number): RangeError {
    return new RangeError(
      `Cannot copy an answer of ${this.#end.what}: it has ${bytes} bytes and the array has ` +
        `${room}; pass a larger array`,
    );
  }
}
