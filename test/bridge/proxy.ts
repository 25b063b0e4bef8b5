/**
 * A proxy between a bridge and its server, whose connections a test can cut.
 *
 * @module
 */

/** Passes connections on to a port of this machine. */
export class Proxy implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #target: number;
  #stalled: PromiseWithResolvers<void> | undefined;

  constructor(target: number) {
    this.#target = target;
    this.#accept();
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Cuts all connections; new ones are passed on. */
  cut(): void {
    for (const each of this.#open) close(each);
    this.#open.clear();
  }

  /** Passes nothing on from the target, until `resume`; bytes pile up there. */
  stall(): void {
    this.#stalled ??= Promise.withResolvers();
  }

  resume(): void {
    this.#stalled?.resolve();
    this.#stalled = undefined;
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) this.#pass(near);
  }

  async #pass(near: Deno.TcpConn): Promise<void> {
    let far: Deno.TcpConn;
    try {
      far = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    } catch {
      return close(near); // the server is down
    }
    this.#open.add(near).add(far);
    const done = () => {
      close(near);
      close(far);
      this.#open.delete(near);
      this.#open.delete(far);
    };
    near.readable.pipeTo(far.writable).then(done, done);
    const gate = new TransformStream<Uint8Array, Uint8Array>({
      transform: async (bytes, controller) => {
        await this.#stalled?.promise;
        controller.enqueue(bytes);
      },
    });
    far.readable.pipeThrough(gate).pipeTo(near.writable).then(done, done);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.resume();
    this.cut();
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // closed already
  }
}
