import { assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { VringError } from "../../src/errors.ts";
import { binariesFor, native, useLibrary } from "../../src/native/load.ts";
import { PREBUILT } from "../../src/native/prebuilt.ts";
import { LIBRARY_SYMBOLS, SENTINEL_SYMBOLS } from "../../src/native/symbols.ts";

Deno.test("binariesFor() gives each supported processor its own", () => {
  assertStrictEquals(binariesFor({ os: "linux", arch: "x86_64" }), PREBUILT.x86_64);
  assertStrictEquals(binariesFor({ os: "linux", arch: "aarch64" }), PREBUILT.aarch64);
  assertNotEquals(PREBUILT.x86_64, PREBUILT.aarch64);
});

Deno.test("binariesFor() names the system that is not supported and says what to do", () => {
  for (const os of ["darwin", "windows", "freebsd", "android"]) {
    const error = assertThrows(() => binariesFor({ os, arch: "x86_64" }), VringError, `is ${os}`);
    assertEquals(/run it on Linux$/.test(error.message), true, error.message);
  }
});

Deno.test("binariesFor() names the processor that is not supported", () => {
  for (const arch of ["riscv64", "toString", ""]) {
    assertThrows(
      () => binariesFor({ os: "linux", arch }),
      VringError,
      `this processor is ${arch},`,
    );
  }
});

Deno.test("native() has every function of both libraries, and is loaded once", () => {
  const names = [...Object.keys(LIBRARY_SYMBOLS), ...Object.keys(SENTINEL_SYMBOLS)];
  assertEquals(Object.keys(native()).sort(), names.sort());
  for (const [name, call] of Object.entries(native())) assertEquals(typeof call, "function", name);
  assertStrictEquals(native(), native());
});

Deno.test("useLibrary() is refused once the library is in use", () => {
  native();
  assertThrows(
    () => useLibrary({ library: "/there/is/no/such/library.so" }),
    VringError,
    "already in use; call it earlier",
  );
});
