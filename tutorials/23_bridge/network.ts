/**
 * Chapter 23: two machines within this one. The camera is another process; the network and both
 * bridges are in the process that tells.
 *
 * @module
 */

import { spsc, type Subscriber, text, topic } from "../../mod.ts";
import { Bridge, type BridgeOptions } from "../../src/bridge/bridge.ts";
import { Loopback, type LoopbackCarrier } from "../../src/bridge/loopback.ts";

const SHAPE = { type: text(64), depth: 64, policy: "dropOldest" } as const;

/** The camera's topic, on the near machine. */
export function framesOf(name: string) {
  return topic(name, SHAPE);
}

/** The same topic on the far machine; here it needs another name. */
export function farOf(name: string) {
  return topic(`${name}-far`, SHAPE);
}

/** Orders for the camera: how many frames to publish. */
export function ordersOf(name: string) {
  return spsc(`${name}-orders`, { type: "u32", capacity: 4096 });
}

/** Publishes as many frames as each order says. */
export async function camera(name: string): Promise<void> {
  const orders = ordersOf(name).consumer();
  const publisher = framesOf(name).publisher();
  for await (const { value } of orders.messages()) {
    for (let i = 0; i < value; i++) publisher.trySend(`frame ${publisher.sequence + 1}`);
  }
}

/** A bridge that runs. */
export class Running {
  readonly bridge: Bridge;
  readonly ready: Promise<void>;
  readonly #end = new AbortController();
  readonly #done: Promise<unknown>;

  constructor(options: Omit<BridgeOptions, "until">) {
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.bridge = new Bridge({
      onEvent: ({ type }) => type === "ready" && ready.resolve(),
      ...options,
      until: this.#end.signal,
    });
    this.#done = this.bridge.run();
  }

  /** Ends it. */
  async end(): Promise<void> {
    this.#end.abort();
    await this.#done;
  }
}

/** A network with a bridge at each end, and a subscriber on the far machine. */
export class World {
  readonly name: string;
  readonly near: LoopbackCarrier;
  readonly far: LoopbackCarrier;
  readonly subscriber: Subscriber<typeof SHAPE.type>;
  readonly #reliable: boolean;
  #exporter: Running | undefined;
  #importer: Running;

  constructor(name: string, reliable = false) {
    const network = new Loopback();
    this.name = name;
    this.near = network.connect();
    this.far = network.connect();
    this.#reliable = reliable;
    this.subscriber = farOf(name).subscriber();
    this.#importer = this.#import();
  }

  /** Starts the near bridge, once the far one is ready. */
  async begin(): Promise<void> {
    const { name, near: carrier } = this;
    await this.#importer.ready;
    this.#exporter = new Running({
      carrier,
      host: "near",
      exports: [name],
      reliable: this.#reliable,
    });
    await this.#exporter.ready;
  }

  /** What the near bridge has sent, and what was lost before it and in it. */
  get sent() {
    return this.#exporter?.bridge.report.exports[0];
  }

  /** What the far bridge has published, and what was lost by place. */
  get arrived() {
    return this.#importer.bridge.report.imports[0];
  }

  #import(): Running {
    return new Running({
      carrier: this.far,
      host: "far",
      imports: [this.name],
      nameOf: farName,
      reliable: this.#reliable,
    });
  }

  /** Ends the far bridge. */
  async endFar(): Promise<void> {
    await this.#importer.end();
  }

  /** Starts another far bridge. */
  async beginFar(): Promise<void> {
    this.#importer = this.#import();
    await this.#importer.ready;
  }

  /** Ends both bridges. */
  async close(): Promise<void> {
    await this.#exporter?.end();
    await this.#importer.end();
    this.subscriber.close();
  }
}

function farName(name: string): string {
  return `${name}-far`;
}
