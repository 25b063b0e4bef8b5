import { assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { VringError } from "../../src/errors.ts";
import { native, useLibrary } from "../../src/native/load.ts";
import { binariesFor, checkDeno, OLDEST_DENO } from "../../src/native/platform.ts";
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

Deno.test("checkDeno() accepts the oldest Deno that works and newer ones", () => {
  for (const version of [OLDEST_DENO, "2.5.7", "2.10.0", "2.9.6+abc", "3.0.0-rc.1"]) {
    checkDeno(version);
  }
});

Deno.test("checkDeno() names the version that is too old and the oldest that works", () => {
  for (const version of ["2.4.9", "2.0.0-rc.2", "1.46.3"]) {
    const error = assertThrows(() => checkDeno(version), VringError, `this is Deno ${version}, `);
    assertEquals(/ 2\.5\.0 is the oldest .*run deno upgrade$/.test(error.message), true);
  }
});

Deno.test("native() has every function of both libraries, and is loaded once", () => {
  const names = [
    ...Object.keys(LIBRARY_SYMBOLS),
    ...Object.keys(SENTINEL_SYMBOLS),
    ...["futex_waitv_async", "futex_scan_async"],
  ];
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
