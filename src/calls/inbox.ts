/**
 * The clients of one server: it takes their requests in turn and sends their responses. A response
 * waits in a queue while the client's lane is full.
 *
 * @module
 */

import type { Condition } from "../wait/condition.ts";
import type { Doorbell } from "../wait/doorbell.ts";
import type { Endpoint } from "../lane/endpoint.ts";
import { ALONE, FanIn } from "../lane/fan_in.ts";
import { beginLane, LaneReceiver, LaneSender } from "../lane/lane.ts";
import { recordLength } from "../lane/record.ts";
import { begin, type Board, type Pair, type ServerSeat } from "./board.ts";
import { Envelope, messageBytes, type Outgoing, post } from "./message.ts";

/** A client: the lane of its requests, and the lane of its responses. */
export class Client extends LaneReceiver {
  readonly pair: Pair;
  readonly responses: LaneSender;
  /** The responses that wait for room. Until it is empty, the server takes no request from here. */
  readonly queue: Outgoing[] = [];
  /**
   * Whether the client has corrupted its lanes, so that nothing more is taken or sent (calls.ts,
   * C4).
   */
  isBroken = false;

  private constructor(pair: Pair) {
    super(pair.requests);
    this.pair = pair;
    this.responses = beginLane(pair.responses, "head", () => new LaneSender(pair.responses));
    if (pair.broken.load() !== 0) {
      this.release(this.look());
      pair.broken.store(0);
    }
    begin(pair, this.tail.load()); // calls/calls.ts, P1 before the server's generation ..
  }

  /**
   * Makes a client; empties its lanes if a peer corrupted their positions (calls.ts, C4).
   */
  static at(pair: Pair): Client {
    return beginLane(pair.requests, "tail", () => new Client(pair));
  }

  /** Whether no caller waits for a request any more, as far as words tell (calls.ts, P3). */
  isGivenUp({ call, generation }: { readonly call: number; readonly generation: number }): boolean {
    const { client, givenUp } = this.pair;
    return givenUp.has(call) || client.generation.load() !== generation; // P4 in this order
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
    this.pair.broken.store(1);
    this.pair.client.bell.ring();
  }
}

/** All clients of a server. */
export class Clients {
  readonly all: readonly Client[];
  /** The header of the request last read. */
  readonly envelope: Envelope;
  /** Whether the server is shutting down, and so drops answers to calls that were given up. */
  isClosing = false;
  readonly #end: Endpoint;
  readonly #fan: FanIn<Client>;
  readonly #bell: Doorbell;
  readonly #queued = new Set<Client>();

  constructor(end: Endpoint, board: Board, server: ServerSeat, own: boolean) {
    this.#end = end;
    this.#bell = server.bell;
    this.envelope = new Envelope(own);
    this.all = board.clients.map((client) => Client.at(board.pair(client, server)));
    this.#fan = new FanIn(this.all, server.hint, ALONE);
  }

  /** A condition that a request, or room for an answer, can make true. */
  condition(truth: Pick<Condition, "ready" | "beforeSleep">): Condition {
    const fan = this.#fan;
    return {
      bell: this.#bell,
      get watch() {
        return fan.watch;
      },
      get glanceNs() {
        return fan.glanceNs;
      },
      ...truth,
    };
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

  /** Returns a client's lane if a response of this length fits now; undefined if it must queue. */
  laneFor(
    client: Client,
    { generation }: { readonly generation: number },
    bytes: number,
  ): LaneSender | undefined {
    if (client.isBroken || client.queue.length > 0) return undefined;
    if (client.pair.client.generation.load() !== generation) return undefined;
    try {
      return client.responses.hasRoom(messageBytes(bytes)) ? client.responses : undefined;
    } catch {
      return undefined; // `send` reports it
    }
  }

  /** Sends a response, now or once it fits; drops it if the client is gone. */
  send(client: Client, response: Outgoing): void {
    if (client.isBroken || client.pair.client.generation.load() !== response.generation) return;
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
      const { queue, responses } = client;
      while (queue.length > 0 && this.#isMovable(client)) {
        const response = queue.shift()!;
        if (this.#isWanted(client, response) && this.#hasRoom(client, response)) {
          post(responses, response);
        }
      }
      if (queue.length > 0) continue;
      this.#queued.delete(client);
      this.#fan.suspectAll(); // its requests were not taken meanwhile
    }
  }

  /** Whether the first response in a queue can be sent, or dropped because its caller is gone. */
  #isMovable(client: Client): boolean {
    const { queue: [first], pair } = client;
    if (first === undefined || this.#hasRoom(client, first)) return true;
    return !this.#isWanted(client, first) || !this.#end.isPresent(pair.client);
  }

  /** Whether the caller still waits for a response. */
  #isWanted({ pair }: Client, { generation, call }: Outgoing): boolean {
    if (pair.client.generation.load() !== generation) return false;
    return !(this.isClosing && pair.givenUp.has(call)); // else its number becomes free by it
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
