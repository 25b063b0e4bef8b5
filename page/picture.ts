/// <reference lib="dom" />
/**
 * Images and point clouds on a canvas.
 *
 * @module
 */

import { PICTURE_HEAD, PictureForm } from "../src/live/protocol.ts";
import { color, h, setText } from "./dom.ts";
import { bytes, number } from "./words.ts";

/** The head of a binary message. */
export interface Head {
  readonly form: number;
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly fullWidth: number;
  readonly fullHeight: number;
}

/** Reads the head of a binary message. */
export function headOf(message: Uint8Array<ArrayBuffer>): Head {
  const data = new DataView(message.buffer, message.byteOffset);
  const u32 = (at: number) => data.getUint32(at, true);
  return {
    form: data.getUint8(0),
    id: u32(4),
    width: u32(8),
    height: u32(12),
    fullWidth: u32(16),
    fullHeight: u32(20),
  };
}

/** The width of a canvas with points, and its height. */
const CLOUD = 420;

/** An image that is drawn again and again. */
export class PictureView {
  readonly element: HTMLElement;
  readonly #canvas = h("canvas", {
    class: "picture",
    role: "img",
    "aria-label": "The newest image",
  });
  readonly #caption = h("p", { class: "caption" }, "Waiting for an image");
  #isDecoding = false;
  #shown = 0;
  #since = performance.now();
  #perSecond = 0;

  constructor() {
    this.element = h("div", {}, this.#canvas, this.#caption);
  }

  /** Draws a message. */
  async show(message: Uint8Array<ArrayBuffer>): Promise<void> {
    const head = headOf(message);
    const content = message.subarray(PICTURE_HEAD);
    if (head.form === PictureForm.file) await this.#file(content);
    else if (head.form === PictureForm.points) this.#points(head, content);
    else this.#pixels(head, content);
    this.#count();
  }

  #count(): void {
    this.#shown++;
    const now = performance.now();
    if (now - this.#since < 1000) return;
    this.#perSecond = 1000 * this.#shown / (now - this.#since);
    this.#since = now;
    this.#shown = 0;
  }

  #say(text: string): void {
    setText(this.#caption, `${text} · ${this.#perSecond.toFixed(0)} shown a second`);
  }

  #size(width: number, height: number): CanvasRenderingContext2D {
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    this.#canvas.style.aspectRatio = `${width} / ${height}`;
    return this.#canvas.getContext("2d")!;
  }

  #pixels({ form, width, height, fullWidth, fullHeight }: Head, content: Uint8Array): void {
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    if (form === PictureForm.gray) {
      for (let i = 0; i < pixels.length; i++) pixels[i] = 0xff000000 | content[i]! * 0x10101;
    } else {
      for (let i = 0, at = 0; i < pixels.length; i++, at += 3) {
        pixels[i] = 0xff000000 | content[at]! | content[at + 1]! << 8 | content[at + 2]! << 16;
      }
    }
    this.#size(width, height).putImageData(image, 0, 0);
    const scaled = width === fullWidth ? "" : `, shown as ${width} × ${height}`;
    this.#say(`${fullWidth} × ${fullHeight}${scaled}`);
  }

  async #file(content: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#isDecoding) return; // the next one comes soon
    this.#isDecoding = true;
    try {
      const image = await createImageBitmap(new Blob([content]));
      this.#size(image.width, image.height).drawImage(image, 0, 0);
      this.#say(`${image.width} × ${image.height}, a file of ${bytes(content.length)}`);
      image.close();
    } catch {
      setText(this.#caption, "The file cannot be decoded");
    } finally {
      this.#isDecoding = false;
    }
  }

  /** Draws points from above; brighter ones are higher. */
  #points({ width: count, fullWidth }: Head, content: Uint8Array<ArrayBuffer>): void {
    const data = new DataView(content.buffer, content.byteOffset, content.length);
    const at = (i: number, axis: number) => data.getFloat32(12 * i + 4 * axis, true);
    let [reach, low, high] = [1e-6, Infinity, -Infinity];
    for (let i = 0; i < count; i++) {
      const [x, y, z] = [at(i, 0), at(i, 1), at(i, 2)];
      if (!Number.isFinite(x + y + z)) continue;
      reach = Math.max(reach, Math.abs(x), Math.abs(y));
      [low, high] = [Math.min(low, z), Math.max(high, z)];
    }
    const context = this.#size(2 * CLOUD, CLOUD);
    context.fillStyle = "#05080b";
    context.fillRect(0, 0, 2 * CLOUD, CLOUD);
    const scale = CLOUD / 2 * 0.94 / reach;
    context.fillStyle = color("s0");
    for (let i = 0; i < count; i++) {
      const [x, y, z] = [at(i, 0), at(i, 1), at(i, 2)];
      if (!Number.isFinite(x + y + z)) continue;
      context.globalAlpha = high > low ? 0.35 + 0.65 * (z - low) / (high - low) : 1;
      context.fillRect(CLOUD + x * scale - 1, CLOUD / 2 - y * scale - 1, 2.5, 2.5);
    }
    context.globalAlpha = 1;
    const some = count === fullWidth ? "" : `, ${count} shown`;
    this.#say(
      `${fullWidth} points from above${some}, ${number(Number(reach.toPrecision(3)))} wide`,
    );
  }
}
