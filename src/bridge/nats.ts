/**
 * A carrier over NATS, by its official client for Node, which Deno runs unchanged. (The client for
 * Deno has the same core, and is only on JSR.) Nothing else of this package reaches the client.
 *
 * Three properties of the client matter here:
 *
 * - It stops to reconnect after ten attempts unless `maxReconnectAttempts` is -1.
 * - Without a connection it keeps everything that is published, in memory without a bound, and
 *   discards it when it connects. So this carrier publishes only while it is connected.
 * - It keeps the payload of a message until the next microtask, or until it holds 32 KiB.
 *   A PING makes it copy what it keeps (C3), and the PONG tells that the server has it all (C4).
 *
 * @module
 */

import {
  connect,
  createInbox,
  headers as makeHeaders,
  jetstream,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
} from "./nats_client.ts";
import { optionsBy, SIGNAL } from "../arguments.ts";
import { VringError } from "../errors.ts";
import { FUNCTION, objectWith, TEXT, TEXTS } from "../tool_rules.ts";
import { perIsolate, sleep } from "../os/clock.ts";
import type {
  Carrier,
  CarrierEvent,
  Headers,
  Incoming,
  KeepOptions,
  Kept,
  Outgoing,
  Subscription,
} from "./carrier.ts";
import { NatsKept } from "./nats_kept.ts";

/** The options of a connection to NATS. */
export interface NatsOptions {
  /** The address of a server, or of several of one cluster; `localhost` by default. */
  readonly servers?: string | string[] | undefined;
  /**
   * Further options of the client, such as its `authenticator`, `user`, `pass`, `token`, `tls` and
   * time-outs; `natsContext` reads them from a file. It reconnects without an end in any case.
   */
  readonly client?: object | undefined;
  /** Ends the attempts to connect, which continue until the server is there. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the server and the reason when an attempt to connect failed and another one follows. */
  readonly onRetry?: ((reason: string) => void) | undefined;
}

const RECONNECT_MS = 250;
const PING_MS = 5000;
const PULSE_MS = 500;

const RULES = {
  servers: {
    wanted: "the address of a server, or a list of addresses",
    is: (value: unknown) => TEXT.is(value) || TEXTS.is(value),
  },
  client: objectWith(),
  signal: SIGNAL,
  onRetry: FUNCTION,
};

/**
 * Connects to a NATS server, and waits until it is there. Throws a VringError if the server refuses
 * the credentials.
 */
export async function connectNats(options: NatsOptions): Promise<NatsCarrier> {
  const { servers, client, signal, onRetry } = optionsBy(options, "connect to NATS", RULES);
  guardSockets();
  for (;;) {
    signal?.throwIfAborted();
    try {
      const connection = await connect({
        reconnectTimeWait: RECONNECT_MS,
        pingInterval: PING_MS,
        timeout: 5000,
        ...client,
        ...servers !== undefined && { servers },
        maxReconnectAttempts: -1,
        noEcho: true,
      });
      return new NatsCarrier(connection, wordsFor(servers));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (/^Requires \w+ access/.test(error.message)) throw denial(servers, error);
      if (isFinal(error)) throw refusal(servers, error);
      onRetry?.(`${wordsFor(servers)}: ${error.message}`);
    }
    await sleep(RECONNECT_MS, signal);
  }
}

/**
 * Keeps errors of sockets from ending the process, from the first connection on. While the client
 * dials, and after it has closed a socket, it listens to no errors of it; a server that resets the
 * connection just then would end the program. The client notices such a reset by its time-out, and
 * dials again.
 */
const guardSockets = perIsolate(() => {
  globalThis.addEventListener("error", (event) => {
    const { code, syscall } = Object(event.error) as { code?: unknown; syscall?: unknown };
    const isReset = code === "ECONNRESET" || code === "EPIPE" || code === "ETIMEDOUT";
    if (isReset && (syscall === "read" || syscall === "write")) event.preventDefault();
  });
  return true;
});

/** The servers in messages, without the credentials that a URL can have. */
function wordsFor(servers: string | string[] | undefined): string {
  const names = [servers ?? "localhost"].flat().map((server) => server.replace(/\/\/.*@/, "//"));
  return `NATS server ${names.join(" or ")}`;
}

/** Whether a later attempt would fail as well: the server refused, or the options are wrong. */
function isFinal({ name }: Error): boolean {
  return /^(Authorization|UserAuthenticationExpired|InvalidArgument|Type)/.test(name);
}

function denial(servers: string | string[] | undefined, error: Error): VringError {
  return new VringError(
    `Cannot connect to ${wordsFor(servers)}: the permission is missing; run with --allow-net`,
    { cause: error },
  );
}

function refusal(servers: string | string[] | undefined, error: Error): VringError {
  const remedy = /^(InvalidArgument|Type)/.test(error.name)
    ? "pass an address such as nats://host:4222, and check the options of the connection"
    : "check the credentials in the context file, or in the options of the connection";
  return new VringError(`Cannot connect to ${wordsFor(servers)}: ${error.message}; ${remedy}`, {
    cause: error,
  });
}

/** A connection to NATS. */
export class NatsCarrier implements Carrier {
  /** The network in messages, such as `NATS server nats://localhost:4222`. */
  readonly what: string;
  readonly #connection: NatsConnection;
  readonly #handlers = new Set<(event: CarrierEvent) => void>();
  readonly #refused = new Set<string>();
  readonly #pulse: Pulse;
  #isConnected = true;
  #server: string | undefined; // the identity of the process
  #wasBehind = false; // when the connection broke
  #isStale = false; // the client gave up, not the server

  /** @ignore */
  constructor(connection: NatsConnection, what: string) {
    this.#connection = connection;
    this.what = what;
    this.#pulse = new Pulse(() => this.flush());
    this.#server = connection.info?.server_id;
    this.#follow();
    connection.closed().then((error) => {
      this.#pulse[Symbol.dispose]();
      this.#isConnected = false;
      this.#tell({ type: "closed", error: error ?? undefined });
    });
  }

  /** Whether the connection is there. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** The most bytes of headers and payload together. */
  get maxMessage(): number {
    return this.#connection.info?.max_payload ?? 2 ** 20;
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect") {
        this.#isConnected = false;
        this.#wasBehind = this.#pulse.isBehind && !this.#isStale;
        this.#isStale = false;
        this.#tell({ type: "disconnected" });
      } else if (status.type === "reconnect") {
        this.#isConnected = true;
        this.#checkCutOff();
        this.#tell({ type: "connected" });
      } else if (status.type === "staleConnection") this.#isStale = true;
      else if (status.type === "error") this.#report(status.error);
    }
  }

  /**
   * Tells that the server has cut this connection off, if it has. A server that drops a slow consumer
   * does not say why. But then it still runs, and this end was behind: a PING sent a while ago had no
   * answer when the connection broke.
   */
  #checkCutOff(): void {
    const before = this.#server;
    this.#server = this.#connection.info?.server_id;
    this.#pulse.restart();
    if (this.#wasBehind && before === this.#server) this.#tell({ type: "slow" });
  }

  /** Reports each refused subject once: the server repeats it with each message. */
  #report(error: Error): void {
    const { operation, subject } = error as { operation?: string; subject?: string };
    if (subject === undefined) return;
    const isPublish = operation === "publish";
    if (this.#refused.has(`${operation} ${subject}`)) return;
    this.#refused.add(`${operation} ${subject}`);
    this.#tell({ type: "refused", operation: isPublish ? "publish" : "subscribe", subject });
  }

  #tell(event: CarrierEvent): void {
    for (const handler of this.#handlers) handler(event);
  }

  publish({ subject, headers, payload, reply }: Outgoing): void {
    if (!this.#isConnected) return;
    const { length } = payload;
    const isShort = length <= COPIED;
    const options = { headers: headersFor(headers), ...reply !== undefined && { reply } };
    this.#connection.publish(subject, isShort ? payload.slice() : payload, options);
    if (!isShort) this.#connection.flush().catch(() => {}); // copies it now; its failure is an event
  }

  async flush(): Promise<void> {
    if (!this.#isConnected) throw new VringError(`Cannot flush ${this.what}: it is not connected`);
    await this.#connection.flush();
  }

  subscribe(
    subject: string,
    handler: (message: Incoming) => void,
    { queue }: { queue?: string | undefined } = {},
  ): Subscription {
    const callback = (error: Error | null, message: Msg) => {
      if (error === null) handler(incoming(message)); // an error is an event, too
    };
    const options = { callback, ...queue !== undefined && { queue } };
    const subscription = this.#connection.subscribe(subject, options);
    return { [Symbol.dispose]: () => subscription.unsubscribe() };
  }

  async request(message: Outgoing, timeoutMs: number): Promise<Incoming> {
    const { subject, headers, payload } = message;
    const options = { headers: headersFor(headers), timeout: timeoutMs };
    return incoming(await this.#connection.request(subject, payload.slice(), options));
  }

  async requestAll(message: Outgoing, waitMs: number): Promise<Incoming[]> {
    const answers: Incoming[] = [];
    const reply = createInbox();
    using _inbox = this.subscribe(reply, (answer) => answers.push(answer));
    this.publish({ ...message, reply });
    await sleep(waitMs);
    return answers.filter(({ headers }) => headers.get(STATUS) === undefined);
  }

  onEvent(handler: (event: CarrierEvent) => void): Disposable {
    this.#handlers.add(handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }

  /** Opens the messages that the server keeps of a realm. */
  keep(options: KeepOptions): Promise<Kept> {
    return NatsKept.open(jetstream(this.#connection), () => this.#isConnected, options);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isConnected) await this.#connection.flush().catch(() => {});
    await this.#connection.close();
  }
}

/** Measures whether this end reads what the network sends: by a round trip every now and then. */
class Pulse implements Disposable {
  readonly #ask: () => Promise<void>;
  readonly #timer: ReturnType<typeof setInterval>;
  #asked = performance.now();
  #isAnswered = true;
  #beaten = performance.now();
  #wasLate = -Infinity; // when this process had not run for a while

  /** @param ask Resolves with the answer. */
  constructor(ask: () => Promise<void>) {
    this.#ask = ask;
    this.#timer = setInterval(() => this.#beat(), PULSE_MS);
  }

  /** Whether this end was behind a moment ago. */
  get isBehind(): boolean {
    const now = performance.now();
    const waits = !this.#isAnswered && now - this.#asked > PULSE_MS;
    return waits || now - this.#beaten > 2 * PULSE_MS || now - this.#wasLate < PULSE_MS;
  }

  #beat(): void {
    const now = performance.now();
    if (now - this.#beaten > 2 * PULSE_MS) this.#wasLate = now;
    this.#beaten = now;
    if (!this.#isAnswered) return;
    this.#asked = now;
    this.#isAnswered = false;
    this.#ask().then(() => this.#isAnswered = true, () => {});
  }

  /** Begins anew with another connection. */
  restart(): void {
    this.#isAnswered = true;
    this.#beat();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Up to this length a copy costs less than a PING. */
const COPIED = 2 ** 16;

/** The header that tells that the message is one of the server, such as that nobody answers. */
const STATUS = "Nats-Status";

/** Makes the headers of the client. */
export function headersFor(headers: Headers): MsgHdrs {
  const made = makeHeaders();
  for (const [name, value] of headers) made.append(name, value);
  return made;
}

/** Returns a message of the client as one of this carrier. */
export function incoming(message: Msg): Incoming {
  const headers = new Map<string, string>();
  if (message.headers !== undefined) {
    for (const [name, [value]] of message.headers as Iterable<[string, string[]]>) {
      headers.set(name, value!);
    }
    if (message.headers.code > 0) headers.set(STATUS, String(message.headers.code));
  }
  const { buffer, byteOffset, length } = message.data; // a Buffer, whose slice() does not copy
  return {
    subject: message.subject,
    headers,
    payload: new Uint8Array(buffer, byteOffset, length),
    reply: message.reply || undefined,
  };
}
