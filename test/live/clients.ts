/**
 * Clients of a live view: a page without a browser, and one that stops reading.
 *
 * @module
 */

import { PAGE_PROTOCOL } from "../../src/live/protocol.ts";
import type { FromPage, FromServer } from "../../src/live/protocol.ts";
import type { View } from "../../src/live/view.ts";

/** The messages of an operation. */
export type MessageOf<O extends FromServer["op"]> = Extract<FromServer, { op: O }>;

/** How long a client waits for a message. */
const DEADLINE_MS = 30_000;

/** A client that speaks the protocol of the page. */
export class PageClient implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly texts: FromServer[] = [];
  readonly pictures: Uint8Array<ArrayBuffer>[] = [];
  #came = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();

  /** Connects. */
  constructor(view: View) {
    this.socket = new WebSocket(view.foxgloveUrl, PAGE_PROTOCOL);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.texts.push(JSON.parse(data));
      else this.pictures.push(new Uint8Array(data));
      this.#came.resolve();
      this.#came = Promise.withResolvers();
    };
    this.socket.onclose = () => this.#closed.resolve();
  }

  /** Waits until a test of what has come holds, and returns its result. */
  async until<T>(what: string, test: (client: this) => T | undefined | false): Promise<T> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    const late = new Promise<never>((_, reject) => {
      deadline.onabort = () =>
        reject(new Error(`${what} did not come: ${JSON.stringify(this.texts.at(-1))}`));
    });
    try {
      for (;;) {
        const found = test(this);
        if (found !== undefined && found !== false) return found;
        await Promise.race([this.#came.promise, late]);
      }
    } finally {
      deadline.onabort = null;
    }
  }

  /** Waits for a message that passes a test, also among those that have come. */
  message<O extends FromServer["op"]>(
    op: O,
    passes: (message: MessageOf<O>) => boolean = () => true,
  ): Promise<MessageOf<O>> {
    return this.until(
      op,
      ({ texts }) =>
        texts.findLast((one): one is MessageOf<O> => one.op === op && passes(one as MessageOf<O>)),
    );
  }

  /** Waits for a region, and returns its number. */
  async region(name: string): Promise<number> {
    const isIt = (region: { name: string }) => region.name === name;
    const { regions } = await this.message("scene", ({ regions }) => regions.some(isIt));
    return regions.find(isIt)!.id;
  }

  /** Sends a message. */
  send(message: FromPage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Watches a region. */
  watch(id: number, wish: Partial<Extract<FromPage, { op: "watch" }>>): void {
    this.send({ op: "watch", id, curves: [], value: false, picture: false, ...wish });
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.#closed.promise;
  }
}

/** A connection whose client sends, and reads nothing after the handshake. */
export class StillClient implements Disposable {
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects with a subprotocol. */
  static async connect(view: View, protocol: string): Promise<StillClient> {
    const { host, pathname, search } = new URL(view.foxgloveUrl);
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: view.port });
    const lines = [
      `GET ${pathname}${search} HTTP/1.1`,
      `Host: ${host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Protocol: ${protocol}`,
    ];
    await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
    const answer = new Uint8Array(1024);
    const length = await connection.read(answer);
    const text = new TextDecoder().decode(answer.subarray(0, length ?? 0));
    if (!text.startsWith("HTTP/1.1 101")) throw new Error(text);
    return new StillClient(connection);
  }

  /** Sends a text as a masked frame, whose mask is zero. */
  async send(message: object): Promise<void> {
    const text = new TextEncoder().encode(JSON.stringify(message));
    const isLong = text.length > 125;
    const head = isLong
      ? [0x81, 0xfe, text.length >> 8, text.length & 255, 0, 0, 0, 0]
      : [0x81, 0x80 | text.length, 0, 0, 0, 0];
    await this.#connection.write(Uint8Array.from([...head, ...text]));
  }

  /** Ends the connection. */
  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
