/**
 * A carrier within this process: what the bridge is tested with first, and a model of the others.
 *
 * @module
 */

import { timeoutError, VringError } from "../errors.ts";
import { sleep } from "../os/clock.ts";
import type {
  Carrier,
  CarrierEvent,
  Incoming,
  KeepOptions,
  Kept,
  Outgoing,
  Subscription,
} from "./carrier.ts";
import { LoopbackLog } from "./loopback_log.ts";
import { covers } from "./subjects.ts";

const MAX_MESSAGE = 2 ** 20;

interface Listening {
  readonly owner: LoopbackCarrier;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly handler: (message: Incoming) => void;
}

/** A network within this process; `connect` makes a carrier. */
export class Loopback {
  /** @ignore */
  readonly log: LoopbackLog = new LoopbackLog();
  /** @ignore */
  readonly listening: Set<Listening> = new Set();
  #turn = 0;

  /** Connects to this network. */
  connect(): LoopbackCarrier {
    return new LoopbackCarrier(this);
  }

  /** @ignore */
  hasListener(from: LoopbackCarrier, subject: string): boolean {
    return Array.from(this.listening).some((each) =>
      each.owner !== from && covers(each.subject, subject)
    );
  }

  /** @ignore */
  deliver(from: LoopbackCarrier, { subject, headers, payload, reply }: Outgoing): void {
    const message = { subject, headers: new Map(headers), payload: payload.slice(), reply };
    this.log.addSlot(message);
    const groups = new Map<string, Listening[]>();
    const targets: Listening[] = [];
    for (const each of this.listening) {
      if (each.owner === from || !covers(each.subject, subject)) continue;
      if (each.queue === undefined) targets.push(each);
      else groups.set(each.queue, [...groups.get(each.queue) ?? [], each]);
    }
    for (const members of groups.values()) targets.push(members[this.#turn++ % members.length]!);
    for (const target of targets) {
      queueMicrotask(() => {
        if (this.listening.has(target) && target.owner.isConnected) target.handler(message);
      });
    }
  }
}

/** A connection to a network within this process. */
export class LoopbackCarrier implements Carrier {
  /** The network in messages. */
  readonly what: string = "loopback";
  /** The most bytes of headers and payload together. */
  readonly maxMessage: number = MAX_MESSAGE;
  readonly #network: Loopback;
  readonly #handlers = new Set<(event: CarrierEvent) => void>();
  #isConnected = true;
  #isClosed = false;
  #inboxes = 0;

  /** @ignore */
  constructor(network: Loopback) {
    this.#network = network;
  }

  /** Whether the connection is there. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Breaks the connection, or restores it. */
  setConnected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    this.#tell({ type: isConnected ? "connected" : "disconnected" });
  }

  publish(message: Outgoing): void {
    const length = message.payload.length;
    if (length > MAX_MESSAGE) {
      throw new VringError(`Cannot publish ${length} bytes: a message can have ${MAX_MESSAGE}`);
    }
    if (this.#isConnected) this.#network.deliver(this, message);
  }

  flush(): Promise<void> {
    if (this.#isConnected) return Promise.resolve();
    return Promise.reject(new VringError("Cannot flush loopback: the connection broke"));
  }

  subscribe(
    subject: string,
    handler: (message: Incoming) => void,
    { queue }: { queue?: string | undefined } = {},
  ): Subscription {
    const listening = { owner: this, subject, queue, handler };
    this.#network.listening.add(listening);
    return { [Symbol.dispose]: () => void this.#network.listening.delete(listening) };
  }

  async request(message: Outgoing, timeoutMs: number): Promise<Incoming> {
    if (!this.#network.hasListener(this, message.subject)) {
      throw new VringError(`Cannot request ${message.subject}: nobody listens`);
    }
    const answer = Promise.withResolvers<Incoming>();
    const reply = this.#inbox();
    using _inbox = this.subscribe(reply, answer.resolve);
    const timer = setTimeout(
      () => answer.reject(timeoutError(`request ${message.subject}`, timeoutMs)),
      timeoutMs,
    );
    this.publish({ ...message, reply });
    return await answer.promise.finally(() => clearTimeout(timer));
  }

  async requestAll(message: Outgoing, waitMs: number): Promise<Incoming[]> {
    const answers: Incoming[] = [];
    const reply = this.#inbox();
    using _inbox = this.subscribe(reply, (answer) => answers.push(answer));
    this.publish({ ...message, reply });
    await sleep(waitMs);
    return answers;
  }

  #inbox(): string {
    return `inbox.${crypto.randomUUID()}.${++this.#inboxes}`;
  }

  onEvent(handler: (event: CarrierEvent) => void): Disposable {
    this.#handlers.add(handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }

  #tell(event: CarrierEvent): void {
    for (const handler of this.#handlers) handler(event);
  }

  /** Opens the messages that this network keeps. */
  keep({ slotHistory }: KeepOptions): Promise<Kept> {
    return Promise.resolve(this.#network.log.open(() => this.#isConnected, slotHistory));
  }

  /** Closes the connection. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.#isConnected = false;
    for (const each of this.#network.listening) {
      if (each.owner === this) this.#network.listening.delete(each);
    }
    this.#tell({ type: "closed", error: undefined });
    return Promise.resolve();
  }
}
