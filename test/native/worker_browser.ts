/**
 * A Worker in which looking at what only Deno has is an error, as in a browser.
 *
 * @module
 */

// Before anything is imported: the module graph of `firstUses` must not find them either.
for (const name of ["Deno", "process", "Buffer"]) {
  Object.defineProperty(globalThis, name, { value: undefined });
}

const { firstUses } = await import("./first_uses.js");
const port = self as unknown as { onmessage: (event: MessageEvent) => void } & Worker;
port.onmessage = async ({ data }) => port.postMessage(await firstUses(data).catch(String));
port.postMessage("ready");
