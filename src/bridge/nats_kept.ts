/**
 * Messages that a NATS server keeps on its disk, by JetStream.
 *
 * One stream holds the kept messages of a realm until every bridge that imports them has
 * acknowledged them. Each import is a durable consumer of its own, which the server remembers. A full
 * stream refuses new messages, so their publishers wait.
 *
 * The server delivers what was not acknowledged again, but only after a while, and newer messages
 * before that. To keep the order, a consumer that starts, or whose connection broke, first collects
 * everything that the server has delivered without an acknowledgement. The server numbers its
 * deliveries, so a consumer that misses one begins again.
 *
 * @module
 */

import { fingerprint } from "../layout/hash.ts";
import { VringError } from "../errors.ts";
import { sleep } from "../os/clock.ts";
import type { Incoming, KeepOptions, Kept, KeptHandler, Outgoing } from "./carrier.ts";
import { headersFor, incoming } from "./nats.ts";
import {
  AckPolicy,
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "./nats_client.ts";
import { ROOTS, tokenOf } from "./subjects.ts";

const AGAIN_MS = 2000;
const UNACKNOWLEDGED_MAX = 256;
const ANSWER_MS = 2000;
const DUPLICATE_WINDOW_MS = 120_000;
const RETRY_MS = 100;

/** The streams of one realm. */
export class NatsKept implements Kept {
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #isConnected: () => boolean;
  readonly #stream: string;
  readonly #slots: string;
  readonly #againMs: number;

  private constructor(
    client: JetStreamClient,
    manager: JetStreamManager,
    isConnected: () => boolean,
    { realm, againMs = AGAIN_MS }: KeepOptions,
  ) { // all from open()
    this.#client = client;
    this.#manager = manager;
    this.#isConnected = isConnected;
    this.#stream = `VRING-${tokenOf(realm)}`;
    this.#slots = `VRING-SLOTS-${tokenOf(realm)}`;
    this.#againMs = againMs;
  }

  /** Creates the streams of a realm unless they exist. */
  static async open(
    client: JetStreamClient,
    isConnected: () => boolean,
    options: KeepOptions,
  ): Promise<NatsKept> {
    const { realm, maxBytes, slotHistory } = options;
    try {
      const manager = await client.jetstreamManager();
      const kept = new NatsKept(client, manager, isConnected, options);
      await kept.#create({
        name: kept.#stream,
        subjects: [`${ROOTS.kept}.${tokenOf(realm)}.>`],
        retention: RetentionPolicy.Interest,
        storage: StorageType.File,
        discard: DiscardPolicy.New,
        max_bytes: maxBytes,
        duplicate_window: nanos(DUPLICATE_WINDOW_MS),
      });
      await kept.#create({
        name: kept.#slots,
        subjects: [`${ROOTS.slot}.${tokenOf(realm)}.>`],
        storage: StorageType.File,
        discard: DiscardPolicy.Old,
        max_bytes: maxBytes,
        max_msgs_per_subject: slotHistory,
      });
      return kept;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new VringError(
        `Cannot keep messages of realm "${realm}" on the server: ${error.message}; start it with ` +
          "JetStream (nats-server -js), and permit $JS.API.>",
        { cause: error },
      );
    }
  }

  async #create(config: Partial<StreamConfig> & { name: string }): Promise<void> {
    try {
      await this.#manager.streams.info(config.name);
    } catch (error) {
      if (!(error instanceof Error && /not found/.test(error.message))) throw error;
      await this.#manager.streams.add(config).catch((error) => {
        if (!/already in use/.test(error.message)) throw error; // another bridge was faster
      });
    }
  }

  async publish({ subject, headers, payload }: Outgoing, id: string): Promise<void> {
    if (!this.#isConnected()) {
      throw new VringError(
        "Cannot keep a message: the connection is broken, and the client connects again",
      );
    }
    const options = { msgID: id, headers: headersFor(headers), timeout: ANSWER_MS };
    await this.#client.publish(subject, payload.slice(), options);
  }

  async consume(name: string, subject: string, handler: KeptHandler): Promise<AsyncDisposable> {
    const durable = `${tokenOf(name)}-${fingerprint(subject).toString(16)}`;
    await this.#manager.consumers.add(this.#stream, {
      durable_name: durable,
      filter_subject: subject,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(this.#againMs),
      max_ack_pending: UNACKNOWLEDGED_MAX,
      deliver_policy: DeliverPolicy.All,
    });
    const consumer = await this.#client.consumers.get(this.#stream, durable);
    const end = new AbortController();
    const reading = this.#read(consumer, handler, end.signal);
    return {
      [Symbol.asyncDispose]: async () => {
        end.abort();
        await reading;
      },
    };
  }

  /** Reads until the signal aborts; after each failure from the first unacknowledged message on. */
  async #read(consumer: Consumer, handler: KeptHandler, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#isConnected()) {
        const run = new Run({
          consumer,
          handler,
          signal,
          isConnected: this.#isConnected,
          againMs: this.#againMs,
        });
        await run.run().catch((error) => {
          if (this.#isConnected() && !isPassing(error)) throw error;
        });
      }
      await sleep(RETRY_MS, signal);
    }
  }

  async last(subject: string): Promise<Incoming[]> {
    const consumer = await this.#client.consumers.get(this.#slots, { filter_subjects: subject });
    const found: Incoming[] = [];
    let { num_pending: left } = await consumer.info();
    while (left > 0) {
      const batch = await consumer.fetch({ max_messages: Math.min(left, 256), expires: ANSWER_MS });
      let count = 0;
      for await (const message of batch) {
        found.push(fromJetStream(message));
        count++;
      }
      if (count === 0) break;
      left -= count;
    }
    await consumer.delete();
    return found;
  }
}

/** Whether an error is one of a connection or a server that went, after which all is tried again. */
function isPassing(error: unknown): boolean {
  return error instanceof Error && !(error instanceof TypeError);
}

function fromJetStream(message: JsMsg): Incoming {
  const { subject, headers, data } = message;
  return incoming({ subject, headers, data, reply: "" } as Parameters<typeof incoming>[0]);
}

/** One attempt to read, until the connection breaks, the handler refuses, or the signal aborts. */
class Run {
  readonly #consumer: Consumer;
  readonly #handler: KeptHandler;
  readonly #signal: AbortSignal;
  readonly #isConnected: () => boolean;
  readonly #againMs: number;
  readonly #held = new Map<number, JsMsg>(); // by their numbers in the stream
  readonly #undone = new Set<JsMsg>(); // handled, or being handled, and not acknowledged
  #missing = 0; // as many were delivered to an earlier attempt and not acknowledged
  #delivered = 0; // up to this number in the stream
  #deliveries = 0; // by the server, to any attempt: a gap means that a message is on its way elsewhere
  #hasAll = false; // everything without an acknowledgement is held

  constructor({ consumer, handler, signal, isConnected, againMs }: {
    consumer: Consumer;
    handler: KeptHandler;
    signal: AbortSignal;
    isConnected: () => boolean;
    againMs: number;
  }) {
    this.#againMs = againMs;
    this.#consumer = consumer;
    this.#handler = handler;
    this.#signal = signal;
    this.#isConnected = isConnected;
  }

  async run(): Promise<void> {
    const { num_ack_pending, delivered } = await this.#consumer.info();
    this.#missing = num_ack_pending;
    this.#delivered = delivered.stream_seq;
    this.#deliveries = delivered.consumer_seq;
    const messages = await this.#consumer.consume({ max_messages: UNACKNOWLEDGED_MAX });
    const stop = () => void messages.close();
    this.#signal.addEventListener("abort", stop);
    if (this.#signal.aborted) stop();
    const watch = setInterval(() => this.#watch(messages), this.#againMs / 2);
    try {
      for await (const message of messages) {
        const isNext = message.info.deliverySequence === ++this.#deliveries;
        if (!isNext || !this.#isConnected() || !await this.#take(message)) break;
      }
    } finally {
      clearInterval(watch);
      this.#signal.removeEventListener("abort", stop);
      await messages.close();
    }
  }

  /**
   * Ends the attempt when the connection breaks, and lets nothing come again that is not done yet. Does
   * not wait for what was acknowledged.
   */
  async #watch(messages: ConsumerMessages): Promise<void> {
    if (!this.#isConnected()) return void messages.close();
    for (const each of this.#undone) each.working();
    if (this.#missing === 0) return;
    try {
      const { num_ack_pending } = await this.#consumer.info();
      this.#hasAll = num_ack_pending <= this.#held.size; // some were acknowledged after all
    } catch {
      await messages.close();
    }
  }

  async #take(message: JsMsg): Promise<boolean> {
    if (this.#missing === 0) return await this.#handle(message);
    this.#held.set(message.info.streamSequence, message);
    const old = Array.from(this.#held.keys()).filter((number) => number <= this.#delivered).length;
    if (old < this.#missing && !this.#hasAll) return true;
    this.#missing = 0;
    const all = Array.from(this.#held.entries()).sort(([a], [b]) => a - b);
    this.#held.clear();
    for (const [, each] of all) if (!await this.#handle(each)) return false;
    return true;
  }

  #handle(message: JsMsg): Promise<boolean> {
    this.#undone.add(message);
    return this.#handler(fromJetStream(message), () => {
      this.#undone.delete(message);
      message.ack();
    });
  }
}
