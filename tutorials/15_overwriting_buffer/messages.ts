/**
 * The messages of this tutorial. All have one length, so a ring of a page has room for 32 of them,
 * one in each cell of the picture.
 *
 * @module
 */

import { pageSize } from "../../src/os/page.ts";
import { CELLS, HEAD_BYTES } from "./ring_window.ts";

/** The bytes of each message. */
export const LENGTH: number = pageSize() / CELLS - HEAD_BYTES;

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function padded(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text.padEnd(LENGTH));
}

/** A message with a letter and a number of its own. */
export function message(number: number): Uint8Array<ArrayBuffer> {
  return padded(`${LETTERS[number % LETTERS.length]} is number ${number}`);
}

/** A message with a letter and the name of its writer. */
export function signed(letter: string, writer: string): Uint8Array<ArrayBuffer> {
  return padded(`${letter} by ${writer}`);
}

/** The price of a symbol: 8 characters for the symbol, then the price. */
export function price(symbol: string, price: number): Uint8Array<ArrayBuffer> {
  return padded(symbol.padEnd(8) + price.toFixed(2));
}

/** The text in a message, or in a part of one. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trimEnd();
}
