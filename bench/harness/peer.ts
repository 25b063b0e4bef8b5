/**
 * The other process of a measurement between two. The measuring one starts it, tells it what to do
 * over its standard input, one JSON line at a time, and learns over its standard output when it is
 * about to begin, and the result. In between both are free to block their threads.
 *
 * ```
 *   measuring process                     peer
 *   await peer.begin("pong", 1000)  --->  handlers.pong(1000) is about to be called
 *                                   <---
 *   measures                              takes part
 *   await peer.end()                <---  what the handler returned
 * ```
 *
 * @module
 */

/** A process that takes part in measurements. */
export class Peer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #replies: AsyncGenerator<string>;

  /** Starts a module that calls {@linkcode takePart}. */
  constructor(module: URL, ...parameters: string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", module.href, ...parameters],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#orders = this.#process.stdin.getWriter();
    this.#replies = lines(this.#process.stdout);
  }

  /** The process id, which is also the id of its main thread. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Calls a handler; resolves when the peer is about to run it. */
  async begin(handler: string, parameter?: unknown): Promise<void> {
    await this.#orders.write(new TextEncoder().encode(JSON.stringify([handler, parameter]) + "\n"));
    await this.#reply();
  }

  /** Resolves with the result of the handler. */
  end(): Promise<unknown> {
    return this.#reply();
  }

  async #reply(): Promise<unknown> {
    const { value, done } = await this.#replies.next();
    if (done) throw new Error("The other process of the measurement has ended");
    return JSON.parse(value);
  }

  /** Lets the process end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close();
    await this.#replies.return(undefined);
    await this.#process.status;
  }
}

/** In the peer: serves until the measuring process is done. */
export async function takePart(
  // deno-lint-ignore no-explicit-any
  handlers: Record<string, (parameter: any) => unknown>,
): Promise<void> {
  const reply = (value: unknown) => {
    Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value ?? null)}\n`));
  };
  for await (const line of lines(Deno.stdin.readable)) {
    const [handler, parameter] = JSON.parse(line);
    reply("begins");
    reply(await handlers[handler]!(parameter));
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
