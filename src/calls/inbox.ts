/**
 * The clients of a server, as the server sees them: their requests, in turns, and their responses.
 * A response without room waits in a queue.
 *
 * @module
 */

import type { Endpoint } from "../lane/endpoint.ts";
import { FanIn } from "../lane/fan_in.ts";
import { beginLane, LaneReceiver, LaneSender } from "../lane/lane.ts";
import { recordLength } from "../lane/record.ts";
import type { Board, RpcSeat } from "./calls.ts";
import { Envelope, messageBytes, type Outgoing, post } from "./message.ts";

/** A client: the lane of its requests, and the lane of its responses. */
export class Client extends LaneReceiver {
  readonly seat: RpcSeat;
  readonly responses: LaneSender;
  /** The responses without room so far. While it has any, no request is taken. */
  readonly queue: Outgoing[] = [];
  /**
   * Whether the client has corrupted its lanes, so that nothing more is taken or sent (calls.ts,
   * C4).
   */
  isBroken = false;

  private constructor(seat: RpcSeat) {
    super(seat.requests);
    this.seat = seat;
    this.responses = beginLane(seat.responses, "head", () => new LaneSender(seat.responses));
    if (seat.broken.load() !== 0) {
      this.release(this.look());
      seat.broken.store(0);
    }
    seat.adopted.store(this.tail.load()); // calls/calls.ts, P1 before the server's generation ..
  }

  /**
   * Makes a client for a seat; empties its lanes if a peer corrupted their positions (calls.ts,
   * C4).
   */
  static at(seat: RpcSeat): Client {
    return beginLane(seat.requests, "tail", () => new Client(seat));
  }

  override available(wanted: number): number {
    if (this.queue.length > 0) return 0;
    try {
      return super.available(wanted);
    } catch (error) {
      this.break();
      throw error;
    }
  }

  /** Stops serving this client, and marks its seat as broken. */
  break(): void {
    this.isBroken = true;
    this.queue.length = 0;
    this.seat.broken.store(1);
    this.seat.bell.ring();
  }
}

/** All clients of a server. */
export class Clients {
  readonly all: readonly Client[];
  /** The header of the request last read. */
  readonly envelope = new Envelope();
  readonly #end: Endpoint;
  readonly #fan: FanIn<Client>;
  readonly #queued = new Set<Client>();

  constructor(end: Endpoint, board: Board) {
    this.#end = end;
    this.all = Array.from({ length: board.clients }, (_, index) => Client.at(board.seat(index)));
    this.#fan = new FanIn(this.all, board.hint);
  }

  /** Whether any client has a request, whatever the hints say. */
  look(): boolean {
    return this.#fan.look();
  }

  /** Returns the client whose request is next; undefined if none is known to have one. */
  next(): Client | undefined {
    return this.#fan.next();
  }

  /** Takes nothing more from a client. */
  skip(client: Client): void {
    this.#fan.exclude(client);
  }

  /** Reads the header of a client's next request; returns the length of its record. */
  readEnvelope(client: Client): number {
    try {
      const length = recordLength(client);
      this.envelope.read(client, length);
      return length;
    } catch (error) {
      this.#stopServing(client);
      throw error;
    }
  }

  /** Whether a response is still queued. */
  get hasQueued(): boolean {
    return this.#queued.size > 0;
  }

  /** Sends a response, now or once it fits; drops it if the client is gone. */
  send(client: Client, response: Outgoing): void {
    if (client.isBroken || client.seat.generation.load() !== response.generation) return;
    if (client.queue.length === 0 && this.#hasRoom(client, response)) {
      post(client.responses, response);
      return;
    }
    client.queue.push({ ...response, body: response.body.slice() }); // a codec may reuse its array
    this.#queued.add(client);
  }

  /** Whether `flush()` could send or drop a response. */
  canFlush(): boolean {
    for (const client of this.#queued) if (this.#isMovable(client)) return true;
    return false;
  }

  /** Sends the queued responses that fit now. */
  flush(): void {
    if (this.#queued.size === 0) return; // an iterator costs more than all else of an idle look
    for (const client of this.#queued) {
      const { queue, responses, seat } = client;
      while (queue.length > 0 && this.#isMovable(client)) {
        const response = queue.shift()!;
        const wanted = seat.generation.load() === response.generation;
        if (wanted && this.#hasRoom(client, response)) post(responses, response);
      }
      if (queue.length > 0) continue;
      this.#queued.delete(client);
      this.#fan.suspectAll(); // its requests were not taken meanwhile
    }
  }

  /** Whether the first response in a queue can be sent, or dropped because nobody waits for it. */
  #isMovable(client: Client): boolean {
    const { queue: [first], seat } = client;
    if (first === undefined || this.#hasRoom(client, first)) return true;
    return seat.generation.load() !== first.generation || !this.#end.isPresent(seat);
  }

  /** Whether a response fits; stops serving a client whose positions are corrupt. */
  #hasRoom(client: Client, { body }: Outgoing): boolean {
    try {
      return client.responses.hasRoom(messageBytes(body.length));
    } catch (error) {
      this.#stopServing(client);
      throw error;
    }
  }

  #stopServing(client: Client): void {
    client.break();
    this.#queued.delete(client);
    this.#fan.exclude(client);
  }
}
