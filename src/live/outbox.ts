/**
 * What waits to be sent to one client: bounded, whatever the client does.
 *
 * A WebSocket takes everything that it is given and keeps it until the client reads. So an outbox
 * gives it a new frame only while little is unsent there, and keeps the rest in a queue of its own.
 * When the queue is full, the oldest data frame is dropped and counted. A frame with a key replaces
 * the one with the same key: a stopped browser gets the newest state when it continues, not all
 * states since.
 *
 * O1  Bytes held for a client: at most `mostBytes` in the queue, and `WINDOW_BYTES` + one frame in
 *     the socket.
 *
 * @module
 */

/** A frame of a WebSocket. */
export type Frame = string | Uint8Array<ArrayBuffer>;

/** The part of a WebSocket that an outbox uses. */
export interface Socket {
  readonly bufferedAmount: number;
  readonly readyState: number;
  send(frame: Frame): void;
}

/** The account of an outbox. */
export interface OutboxFacts {
  /** The frames that were given to the socket. */
  readonly sent: number;
  /** The frames that the client will not get, because it was too slow. */
  readonly dropped: number;
  /** The bytes in the queue. */
  readonly queuedBytes: number;
  /** The bytes in the socket. */
  readonly unsentBytes: number;
}

/** The bytes that may wait in the socket before frames wait in the queue. */
export const WINDOW_BYTES = 2 ** 18;

/** A frame in the queue. */
interface Waiting {
  readonly frame: Frame;
  readonly bytes: number;
  /** Whether it may be dropped. */
  readonly isData: boolean;
}

/** The frames for one client. */
export class Outbox {
  readonly #socket: Socket;
  readonly #mostBytes: number;
  readonly #queue = new Map<string | number, Waiting>();
  #nextNumber = 0;
  #bytes = 0;
  #sent = 0;
  #dropped = 0;

  constructor(socket: Socket, mostBytes: number) {
    this.#socket = socket;
    this.#mostBytes = mostBytes;
  }

  /** The account. */
  get facts(): OutboxFacts {
    return {
      sent: this.#sent,
      dropped: this.#dropped,
      queuedBytes: this.#bytes,
      unsentBytes: this.#socket.bufferedAmount,
    };
  }

  /** The number of frames that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether the next frame would be sent at once. */
  get isClear(): boolean {
    return this.#queue.size === 0 && this.#socket.bufferedAmount < WINDOW_BYTES;
  }

  /** Sends data, or drops the oldest data if the client is too slow. */
  data(frame: Frame, key?: string): void {
    this.#put(frame, true, key);
  }

  /**
   * Sends a frame that must not be missing. Returns false if the queue is full of such frames: then
   * the client must be closed.
   */
  control(frame: Frame): boolean {
    return this.#put(frame, false);
  }

  #put(frame: Frame, isData: boolean, key?: string): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return true; // its end is known soon
    if (this.isClear) {
      this.#send(frame);
      return true;
    }
    const bytes = bytesOf(frame);
    if (key !== undefined) this.#drop(key);
    const own = key ?? this.#nextNumber++;
    this.#queue.set(own, { frame, bytes, isData });
    this.#bytes += bytes;
    for (const [oldest, waiting] of this.#queue) {
      if (this.#bytes <= this.#mostBytes) return true;
      if (waiting.isData) this.#drop(oldest);
    }
    return this.#bytes <= this.#mostBytes;
  }

  #drop(key: string | number): void {
    const found = this.#queue.get(key);
    if (found === undefined) return;
    this.#queue.delete(key);
    this.#bytes -= found.bytes;
    this.#dropped++;
  }

  /** Sends what waits, as far as the client has read. */
  flush(): void {
    for (const [key, { frame, bytes }] of this.#queue) {
      if (this.#socket.readyState !== WebSocket.OPEN) return;
      if (this.#socket.bufferedAmount >= WINDOW_BYTES) return;
      this.#queue.delete(key);
      this.#bytes -= bytes;
      this.#send(frame);
    }
  }

  #send(frame: Frame): void {
    this.#sent++;
    this.#socket.send(frame);
  }
}

/** The memory of a frame; a character of a text may be two bytes. */
function bytesOf(frame: Frame): number {
  return typeof frame === "string" ? 2 * frame.length : frame.length;
}
