/**
 * Chapter 15: the ring of a telling, and pictures of it.
 *
 * @module
 */

import type { CircularBufferReader, CircularBufferWriter, Message } from "../../mod.ts";
import type { RingPicture, Scene } from "../stage/story.ts";
import { UNIT } from "../../src/circular/circular_buffer.ts";
import { text } from "./messages.ts";
import { CELLS, RingWindow } from "./ring_window.ts";

/** A ring of one page, both its ends, and a look into it. */
export class Ends {
  #open:
    | { writer: CircularBufferWriter; reader: CircularBufferReader; window: RingWindow }
    | undefined;

  /** Opens the ring. */
  open(writer: CircularBufferWriter, reader: CircularBufferReader): void {
    this.#open = { writer, reader, window: new RingWindow(writer.name) };
  }

  get writer(): CircularBufferWriter {
    return this.#open!.writer;
  }

  get reader(): CircularBufferReader {
    return this.#open!.reader;
  }

  get window(): RingWindow {
    return this.#open!.window;
  }

  /** Shows the ring: a letter for each message that is intact. */
  show(scene: Scene): void {
    const { oldest, published, lap } = this.window;
    const each = lap / CELLS;
    const cells = Array.from({ length: CELLS }, (_, cell) => {
      const back = (published - cell * each + lap) % lap || lap; // the last message in this cell
      const position = published - back;
      if (position < oldest) return "·";
      return String.fromCharCode(this.window.payload(position, 1)[0]!);
    });
    const picture: RingPicture = {
      kind: "ring",
      id: "ring",
      title: "A letter for each message; R: the oldest that is intact; W: the next place",
      cells: cells.join(""),
      cellBytes: each * UNIT,
      readAt: oldest % lap * UNIT,
      available: (published - oldest) * UNIT,
      mirrored: false,
    };
    scene.show(picture);
  }
}

/** The text of a message that was received. */
export function textOf(message: Message | undefined): string | undefined {
  return message && text(message.value);
}
