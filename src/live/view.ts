/**
 * The live view: a page, and a server for Foxglove's tools, on one port.
 *
 * Everything it shows is read as an observer, so publishers do nothing for it, however many browsers
 * watch. All clients share one look at the regions and one observer of each region that any of them
 * watches; each has an outbox of its own (outbox.ts).
 *
 * @module
 */

import { FLAG, optionsBy } from "../arguments.ts";
import { VringError } from "../errors.ts";
import { FUNCTION, numberFrom, TEXT, TEXTS, wholeFrom } from "../tool_rules.ts";
import * as files from "../os/files.ts";
import { type AccessOptions, accessTo, newToken } from "./access.ts";
import { Channels } from "./channels.ts";
import { Feeds } from "./feeds.ts";
import { FOXGLOVE_PROTOCOLS, FoxgloveSession } from "./foxglove_session.ts";
import { Outbox, type OutboxFacts } from "./outbox.ts";
import { pageFile } from "./page.ts";
import { PageSession } from "./page_session.ts";
import type { PictureHint } from "../record/picture.ts";
import { PAGE_PROTOCOL } from "./protocol.ts";
import { type Scene, Scenery } from "./scene.ts";
import { ProtocolError, type Session, type Stage } from "./session.ts";

/** How to serve a live view. */
export interface ViewOptions {
  /** The port; 8765 by default, and 0 for any free one. */
  readonly port?: number | undefined;
  /** The address to listen on; 127.0.0.1 by default, which only programs of this machine reach. */
  readonly hostname?: string | undefined;
  /** The token that every visitor needs; a random one by default. `false` lets everyone in. */
  readonly token?: string | false | undefined;
  /** Further names under which browsers reach this server; addresses need not be listed. */
  readonly names?: readonly string[] | undefined;
  /** Further pages that may connect, by their origins, such as `https://lichtblick.example`. */
  readonly origins?: readonly string[] | undefined;
  /** Whether to show the region with this name; all by default. */
  readonly matches?: ((name: string) => boolean) | undefined;
  /** Whether clients may publish into topics that exist; false by default. */
  readonly publish?: boolean | undefined;
  /**
   * Returns the sizes of the images in a region, by its name, for types that do not state them.
   * Undefined for all others.
   */
  readonly imageSize?: ((name: string) => PictureHint | undefined) | undefined;
  /** The most bytes of an image on the page; 200,000 by default. Larger ones are scaled down. */
  readonly imageBytes?: number | undefined;
  /** The most bytes that wait for a client that is too slow; 8,000,000 by default. */
  readonly clientBytes?: number | undefined;
  /** The time between two looks at all regions, in milliseconds; 250 by default. */
  readonly everyMs?: number | undefined;
}

/** A client of a live view. */
export interface ViewClient extends OutboxFacts {
  /** The protocol that it speaks, such as `foxglove.sdk.v1`. */
  readonly protocol: string;
}

/** The time between two polls of what clients watch. */
const TURN_MS = 10;

/** Without clients, only so many looks pass between two that are done: for the events. */
const IDLE_LOOKS = 4;

/** The longest message of a client. */
const MOST_CLIENT_BYTES = 2 ** 24;

/** The clients at once. */
const MOST_CLIENTS = 64;

/** A live view that is being served; {@linkcode view} starts it. */
export class View implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #access: AccessOptions;
  readonly #stage: Stage & { scene: Scene };
  readonly #channels: Channels;
  readonly #sessionId = crypto.randomUUID();
  readonly #clients = new Map<WebSocket, { session: Session; protocol: string }>();
  readonly #clientBytes: number;
  readonly #timers: ReturnType<typeof setInterval>[];
  #looks = 0;

  /** @ignore */
  constructor(options: ViewOptions) {
    const {
      port = 8765,
      hostname = "127.0.0.1",
      token = newToken(),
      names = [],
      origins = [],
      matches = () => true,
      publish = false,
      imageSize: hintFor = () => undefined,
      imageBytes = 200_000,
      clientBytes = 8_000_000,
      everyMs: tickMs = 250,
    } = options;
    this.#access = { token: token === false ? undefined : token, hostname, names, origins };
    this.#clientBytes = clientBytes;
    this.#channels = new Channels(hintFor);
    this.#server = Deno.serve(
      { port, hostname, onListen: () => {} },
      (request) => this.#answer(request),
    );
    const scenery = new Scenery(matches, hintFor);
    const feeds = new Feeds();
    const scene = scenery.look();
    this.#stage = { scenery, feeds, hintFor, scene, imageBytes, publish, tickMs };
    this.#timers = [
      setInterval(() => this.#tick(), tickMs),
      setInterval(() => this.#turn(), TURN_MS),
    ];
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#server.addr.port;
  }

  /** The address of the page, with the token. */
  get url(): string {
    return `http://${this.#authority}/${this.#query}`;
  }

  /** The address for Foxglove's tools, with the token. */
  get foxgloveUrl(): string {
    return `ws://${this.#authority}/${this.#query}`;
  }

  get #authority(): string {
    const { hostname } = this.#access;
    const isAny = hostname === "0.0.0.0" || hostname === "::";
    const host = isAny ? "127.0.0.1" : hostname.includes(":") ? `[${hostname}]` : hostname;
    return `${host}:${this.port}`;
  }

  get #query(): string {
    const { token } = this.#access;
    return token === undefined ? "" : `?token=${token}`;
  }

  /** The clients at this moment. */
  get clients(): ViewClient[] {
    return Array.from(this.#clients.values(), ({ session, protocol }) => ({
      protocol,
      ...session.outbox.facts,
    }));
  }

  /** The number of regions that are read for clients. */
  get feeds(): number {
    return this.#stage.feeds.size;
  }

  // ---- requests ----

  #answer(request: Request): Response {
    const access = accessTo(request, this.port, this.#access);
    if (!access.isAllowed) return plain(access.status, access.reason);
    if (request.headers.get("upgrade")?.toLowerCase() === "websocket") return this.#meet(request);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plain(405, "Refused: this server only shows");
    }
    const { pathname } = new URL(request.url);
    const file = pageFile(pathname, request.headers);
    if (file === undefined) return plain(404, "There is no such page; the view is at /");
    const { cookie } = access;
    if (cookie !== undefined) file.headers.set("set-cookie", cookie);
    return file;
  }

  #meet(request: Request): Response {
    const asked = (request.headers.get("sec-websocket-protocol") ?? "").split(/\s*,\s*/);
    const protocol = [PAGE_PROTOCOL, ...FOXGLOVE_PROTOCOLS].find((one) => asked.includes(one));
    if (protocol === undefined) {
      return plain(400, `Refused: this server speaks ${FOXGLOVE_PROTOCOLS.join(" and ")}`);
    }
    if (this.#clients.size >= MOST_CLIENTS) {
      return plain(503, `Refused: this server has ${MOST_CLIENTS} clients; close one`);
    }
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      const outbox = new Outbox(socket, this.#clientBytes);
      this.#guard(socket, () => {
        if (this.#clients.size === 0) this.#look(); // it may be some looks old
        const session = protocol === PAGE_PROTOCOL
          ? new PageSession(outbox, this.#stage, hostName())
          : new FoxgloveSession(outbox, this.#stage, this.#channels, this.#sessionId);
        this.#clients.set(socket, { session, protocol });
      });
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      this.#guard(socket, (session) => {
        const length = typeof data === "string" ? data.length : data.byteLength;
        if (length > MOST_CLIENT_BYTES) throw new ProtocolError("the message is too long");
        session?.receive(typeof data === "string" ? data : new Uint8Array(data));
      });
    };
    socket.onclose = () => this.#part(socket);
    return response;
  }

  /** Does something for a client; one that breaks the protocol is sent away. */
  #guard(socket: WebSocket, act: (session: Session | undefined) => void): void {
    try {
      act(this.#clients.get(socket)?.session);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#part(socket);
      socket.close(1002, error.message);
    }
  }

  #part(socket: WebSocket): void {
    this.#clients.get(socket)?.session.close();
    this.#clients.delete(socket);
  }

  // ---- time ----

  #look(): void {
    const { scenery, feeds } = this.#stage;
    const scene = scenery.look();
    this.#stage.scene = scene;
    if (scene.isNew) feeds.update(scenery.regions);
  }

  #tick(): void {
    if (this.#clients.size === 0 && this.#looks++ % IDLE_LOOKS !== 0) return;
    this.#look();
    for (const [socket] of this.#clients) {
      this.#guard(socket, (session) => session?.tick(this.#stage.scene));
    }
  }

  #turn(): void {
    if (this.#clients.size === 0) return;
    this.#stage.feeds.turn();
    const now = performance.now();
    for (const [socket] of this.#clients) this.#guard(socket, (session) => session?.flush(now));
  }

  /** Resolves when the view has ended. */
  get finished(): Promise<void> {
    return this.#server.finished;
  }

  /** Ends the view, and closes the connections of all clients. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const [socket] of this.#clients) {
      this.#part(socket);
      socket.close(1001, "the view ends");
    }
    this.#stage.feeds[Symbol.dispose]();
    this.#stage.scenery[Symbol.dispose]();
    await this.#server.shutdown();
  }

  /** Ends the view, as `close()` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const RULES = {
  port: wholeFrom(0, 65_535),
  hostname: TEXT,
  token: {
    wanted: "false, or a text that is not empty",
    is: (value: unknown) => value === false || TEXT.is(value),
  },
  names: TEXTS,
  origins: TEXTS,
  matches: FUNCTION,
  publish: FLAG,
  imageSize: FUNCTION,
  imageBytes: numberFrom(0),
  clientBytes: numberFrom(0),
  everyMs: numberFrom(1, 2 ** 31 - 1),
};

/**
 * Serves a live view of all shared memory of this machine: a page for browsers, and a server for
 * Foxglove's tools. It needs `--allow-net` for its address. Throws a VringError if that is missing,
 * or the port is in use.
 *
 * @example Show what there is
 * ```ts ignore
 * import { view } from "@vring/vring/live";
 *
 * await using shown = view({ port: 0 });
 * console.log(`Open ${shown.url} in a browser`);
 * await shown.finished;
 * ```
 */
export function view(options: ViewOptions = {}): View {
  const own = optionsBy(options, "serve a view", RULES);
  try {
    return new View(own);
  } catch (error) {
    const { hostname = "127.0.0.1", port = 8765 } = own;
    const address = `${hostname}:${port}`;
    if (error instanceof Deno.errors.NotCapable) {
      throw new VringError(
        `Cannot serve on ${address}: the permission is missing; run with --allow-net=${address}`,
      );
    }
    if (error instanceof Deno.errors.AddrInUse) {
      throw new VringError(
        `Cannot serve on ${address}: another program uses the port; choose another one`,
      );
    }
    if (!(error instanceof Error)) throw error;
    throw new VringError(`Cannot serve on ${address}: ${error.message}`, { cause: error });
  }
}

/** The name of this machine, for the title of the page; empty if it cannot be read. */
function hostName(): string {
  const bytes = files.readAll("/proc/sys/kernel/hostname");
  return typeof bytes === "number" ? "" : new TextDecoder().decode(bytes).trim();
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
