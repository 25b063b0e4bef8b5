/**
 * The address of an interleaving: the part behind `#` of the playground's page.
 *
 * ```text
 * #broken-unlooked/A.B*2.A*2      a scenario, and the token of a run
 * #broken-unlooked/A.B*2.A*2@3    the same, three steps into the run
 * #yours/<code>/A.B*2             code written in the page, compressed
 * ```
 *
 * @module
 */

/** What an address says. */
export interface Address {
  /** A scenario's name, or `yours`. */
  readonly name: string;
  /** The source, if the name is `yours` and the address has one. */
  readonly source: string | undefined;
  /** The token of the run; empty at its beginning. */
  readonly token: string;
  /** The number of steps into the run; undefined at its end. */
  readonly at: number | undefined;
}

/** The name of code that is written in the page. */
export const YOURS = "yours";

/** Writes an address, with the `#`. */
export async function addressOf({ name, source, token, at }: Address): Promise<string> {
  const parts = [encodeURIComponent(name)];
  if (name === YOURS && source !== undefined) parts.push(await packed(source));
  const run = token + (at === undefined ? "" : `@${at}`);
  if (run !== "" || parts.length > 1) parts.push(run);
  return `#${parts.join("/")}`;
}

/** Reads an address. Throws an error in words if it cannot. */
export async function readAddress(hash: string): Promise<Address> {
  const [name = "", ...rest] = decodeURI(hash.replace(/^#/, "")).split("/");
  const source = name === YOURS && rest.length > 0 ? await unpacked(rest.shift()!) : undefined;
  const [token = "", at] = (rest[0] ?? "").split("@");
  if (!/^(weak:)?[\w.:*]*$/.test(token)) throw new Error(`"${token}" is not the token of a run`);
  return { name, source, token, at: at && /^\d+$/.test(at) ? Number(at) : undefined };
}

async function packed(text: string): Promise<string> {
  const bytes = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(text));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function unpacked(text: string): Promise<string> {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return new TextDecoder().decode(await through(new DecompressionStream("deflate-raw"), bytes));
  } catch {
    throw new Error("The code in this address is damaged");
  }
}

async function through(
  stream: CompressionStream | DecompressionStream,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const body = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(body).arrayBuffer());
}
