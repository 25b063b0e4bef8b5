/**
 * What the program in native/pi printed on the emulated Raspberry Pi. A test compares it with a fresh
 * run where the emulator is installed; `deno task pi` makes one.
 *
 * @module
 */

/** Where and when it ran. */
export const RECORDED_ON = "2026-11-29, qemu-system-arm 7.2 as raspi1ap";

/** The entries that it read from its own table. */
export const PI_ENTRIES: readonly (readonly [address: number, entry: number])[] = [
  [0x4000_0000, 0x0030_040e],
  [0x4010_0000, 0x0030_040e],
  [0x4020_0000, 0x0000_0000],
];
