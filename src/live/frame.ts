/**
 * Images and point clouds, made small enough for a page.
 *
 * @module
 */

import { numberAt } from "../inspect/leaves.ts";
import { type Cloud, type Picture, PIXEL_BYTES } from "../record/picture.ts";
import { PICTURE_HEAD, PictureForm } from "./protocol.ts";

/** Where the red, the green and the blue byte of a pixel are; one place for gray. */
const CHANNELS: Readonly<Record<string, readonly number[]>> = {
  mono8: [0],
  "8UC1": [0],
  mono16: [1], // the upper byte
  "16UC1": [1],
  rgb8: [0, 1, 2],
  bgr8: [2, 1, 0],
  "8UC3": [2, 1, 0],
  rgba8: [0, 1, 2],
  bgra8: [2, 1, 0],
};

/** The head of a binary message. */
interface Head {
  readonly form: number;
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly fullWidth: number;
  readonly fullHeight: number;
  readonly sequence: number;
}

function framed(head: Head, contentBytes: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(PICTURE_HEAD + contentBytes);
  const data = new DataView(frame.buffer);
  data.setUint8(0, head.form);
  data.setUint32(4, head.id, true);
  data.setUint32(8, head.width, true);
  data.setUint32(12, head.height, true);
  data.setUint32(16, head.fullWidth, true);
  data.setUint32(20, head.fullHeight, true);
  data.setFloat64(24, head.sequence, true);
  return frame;
}

/** The frame, or the reason why there is none. */
export type Framed = Uint8Array<ArrayBuffer> | string;

/**
 * Makes a binary message of an image. Pixels are left out evenly until the rest takes at most
 * `mostBytes`; a file that is larger cannot be made smaller here.
 */
export function pictureFrame(
  picture: Picture,
  id: number,
  sequence: number,
  mostBytes: number,
): Framed {
  const { encoding, width, height, step, data } = picture;
  if (step === 0) {
    if (data.length > mostBytes) {
      return `its ${encoding} of ${data.length} bytes is larger than ${mostBytes}; raise --image-bytes`;
    }
    const size = { width: 0, height: 0, fullWidth: 0, fullHeight: 0 };
    const frame = framed({ form: PictureForm.file, id, sequence, ...size }, data.length);
    frame.set(data, PICTURE_HEAD);
    return frame;
  }
  const channels = CHANNELS[encoding]!;
  const each = PIXEL_BYTES[encoding]!;
  const scale = Math.max(1, Math.sqrt(width * height * channels.length / mostBytes));
  const h = Math.max(1, Math.floor(height / scale));
  const w = Math.max(1, Math.min(width / scale, mostBytes / channels.length / h) | 0);
  const form = channels.length === 1 ? PictureForm.gray : PictureForm.rgb;
  const frame = framed(
    { form, id, width: w, height: h, fullWidth: width, fullHeight: height, sequence },
    w * h * channels.length,
  );
  let to = PICTURE_HEAD;
  for (let y = 0; y < h; y++) {
    const row = Math.floor(y * height / h) * step;
    for (let x = 0; x < w; x++) {
      const from = row + Math.floor(x * width / w) * each;
      for (const channel of channels) frame[to++] = data[from + channel]!;
    }
  }
  return frame;
}

/** Makes a binary message of a point cloud; points are left out evenly. */
export function cloudFrame(
  { stride, fields, data }: Cloud,
  id: number,
  sequence: number,
  mostBytes: number,
): Framed {
  const count = Math.floor(data.length / stride);
  const scale = Math.max(1, Math.ceil(12 * count / mostBytes));
  const shown = Math.floor(count / scale);
  const frame = framed(
    {
      form: PictureForm.points,
      id,
      width: shown,
      height: 1,
      fullWidth: count,
      fullHeight: 1,
      sequence,
    },
    12 * shown,
  );
  const from = new DataView(data.buffer, data.byteOffset, data.length);
  const to = new DataView(frame.buffer, PICTURE_HEAD);
  const axes = ["x", "y", "z"].map((name) => fields.find((field) => field.name === name));
  for (let i = 0; i < shown; i++) {
    for (const [axis, field] of axes.entries()) {
      if (field === undefined) continue;
      const value = numberAt(from, field.scalar, i * scale * stride + field.offset) ?? 0;
      to.setFloat32(12 * i + 4 * axis, value, true);
    }
  }
  return frame;
}
