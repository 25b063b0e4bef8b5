/**
 * The context files of NATS's own command line, which hold the address of a server and credentials.
 * Every user of a machine can read the arguments of its programs, so secrets do not belong there.
 *
 * @module
 */

import { credsAuthenticator, nkeyAuthenticator } from "./nats_client.ts";
import { checkValue } from "../arguments.ts";
import { byteLengthOf } from "../arrays.ts";
import { VringError } from "../errors.ts";
import { FUNCTION, TEXT } from "../tool_rules.ts";
import type { NatsOptions } from "./nats.ts";

/** Reads a file that a context names. */
export type ReadFile = (path: string) => Uint8Array<ArrayBuffer>;

/**
 * Returns the options of a connection that the text of a context file states: `url`, `user` and
 * `password`, `token`, `creds`, `nkey`, `cert`, `key`, `ca` and `inbox_prefix`.
 *
 * @param path The path of the file, for messages.
 */
export function natsContext(text: string, path: string, read: ReadFile): NatsOptions {
  checkValue(TEXT, "the path", path, "read a NATS context");
  checkValue(TEXT, "the text", text, `read the NATS context ${path}`);
  checkValue(FUNCTION, "the reader", read, `read the NATS context ${path}`);
  const context = fieldsIn(text, path);
  const bytesOf = (file: string) => {
    const bytes = read(file);
    byteLengthOf(bytes, "read", file);
    return bytes;
  };
  const field = (name: string) => context[name] || undefined;
  const [url, creds, nkey] = [field("url"), field("creds"), field("nkey")];
  const seed = nkey && bytesOf(nkey);
  const authenticator = creds
    ? credsAuthenticator(bytesOf(creds))
    : seed && nkeyAuthenticator(new TextEncoder().encode(new TextDecoder().decode(seed).trim()));
  const tls = {
    ...field("cert") && { certFile: field("cert")! },
    ...field("key") && { keyFile: field("key")! },
    ...field("ca") && { caFile: field("ca")! },
  };
  const client = {
    ...field("user") && { user: field("user")! },
    ...field("password") && { pass: field("password")! },
    ...field("token") && { token: field("token")! },
    ...field("inbox_prefix") && { inboxPrefix: field("inbox_prefix")! },
    ...authenticator && { authenticator },
    ...Object.keys(tls).length > 0 && { tls },
  };
  const servers = url?.split(",").map((server) => server.trim());
  return { servers, client };
}

function fieldsIn(text: string, path: string): Record<string, string> {
  try {
    const fields: unknown = JSON.parse(text);
    if (typeof fields !== "object" || fields === null) throw new TypeError("it is no object");
    return Object.fromEntries(
      Object.entries(fields).filter(([, value]) => typeof value === "string"),
    );
  } catch {
    // without the parser's message, which quotes the text
    throw new VringError(`Cannot read the NATS context ${path}: it is no JSON object; correct it`);
  }
}
