/// <reference lib="dom" />
/**
 * The connection to the server, which comes back by itself.
 *
 * @module
 */

import { type FromPage, type FromServer, PAGE_PROTOCOL } from "../src/live/protocol.ts";

/** What the page does with messages. */
export interface Handlers {
  text(message: FromServer): void;
  binary(bytes: Uint8Array<ArrayBuffer>): void;
  /** The connection began or ended. */
  state(isOpen: boolean): void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;

/** Connects, and connects again whenever the connection ends. */
export class Connection {
  readonly #handlers: Handlers;
  #socket: WebSocket | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
    this.#open();
  }

  #open(): void {
    const socket = new WebSocket(new URL("/", location.href.replace(/^http/, "ws")), PAGE_PROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#socket = socket;
      this.#handlers.state(true);
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#handlers.text(JSON.parse(data));
      else this.#handlers.binary(new Uint8Array(data));
    };
    socket.onclose = () => {
      this.#socket = undefined;
      this.#handlers.state(false);
      setTimeout(() => this.#open(), this.#retryMs);
      this.#retryMs = Math.min(LAST_RETRY_MS, 2 * this.#retryMs);
    };
  }

  /** Sends a message, if the connection is open. */
  send(message: FromPage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}
