/**
 * Who may use the port: the token, and the headers that browsers cannot forge.
 *
 * A1  Every request needs the token: in its address, or in the cookie that the first visit sets.
 * A2  Its Host names this server, so a page whose name was rebound to this address gets nothing.
 * A3  A browser's WebSocket names the page that opened it as Origin. With the cookie, that must be
 *     this server's own page; with the token in the address, also one that was allowed by name, or
 *     an application on this machine, which has no Origin of the web.
 *
 * @module
 */

/** The access to a server. */
export interface AccessOptions {
  /** The token; undefined lets everyone in. */
  readonly token: string | undefined;
  /** The address that it listens on. */
  readonly hostname: string;
  /** Further names for Host, such as that of this machine. */
  readonly names: readonly string[];
  /** Further pages that may open a WebSocket, by their origins. */
  readonly origins: readonly string[];
}

/** The decision on a request. */
export type Access =
  | { readonly isAllowed: true; /** Sets the cookie. */ readonly cookie: string | undefined }
  | { readonly isAllowed: false; readonly status: 401 | 403; readonly reason: string };

/** The parts of a request that matter. */
export type Asked = Pick<Request, "url" | "headers">;

/** The pages of the tools that speak the protocol. */
const KNOWN_ORIGINS = ["https://app.foxglove.dev"];

const refused = (status: 401 | 403, reason: string): Access => ({
  isAllowed: false,
  status,
  reason,
});

/** Decides on a request. */
export function accessTo(
  { url, headers }: Asked,
  port: number,
  options: AccessOptions,
): Access {
  const { token } = options;
  if (!isOwnHost(headers.get("host"), port, options)) {
    return refused(403, "Refused: this server has another name; use the address that it printed");
  }
  const given = new URL(url).searchParams.get("token");
  const isStranger = headers.has("origin") && !isOwnOrigin(headers, port, options);
  const name = `vring_view_${port}`;
  if (token !== undefined && given !== null && given === token) {
    const origin = headers.get("origin");
    if (isStranger && !isAllowed(origin!, options) && !isApplication(origin!)) {
      return refused(403, "Refused: this page is not allowed; name it with --origin");
    }
    const cookie = `${name}=${token}; Path=/; HttpOnly; SameSite=Strict`;
    return { isAllowed: true, cookie };
  }
  if (isStranger && !(token === undefined && isAllowed(headers.get("origin")!, options))) {
    return refused(403, "Refused: another page may not use this server");
  }
  if (token === undefined || cookieIn(headers, name) === token) {
    return { isAllowed: true, cookie: undefined };
  }
  return refused(401, "Refused: the token is missing; use the address that vring view printed");
}

function isOwnHost(host: string | null, port: number, options: AccessOptions): boolean {
  const url = host === null ? null : URL.parse(`http://${host}`);
  if (url === null || (url.port || "80") !== String(port)) return false;
  const { hostname, names } = options;
  const own = bare(hostname);
  const asked = bare(url.hostname);
  if (asked === own || names.includes(asked)) return true;
  if (isLoopback(own)) return asked === "localhost" || isLoopback(asked);
  return isAddress(asked); // a name could be rebound, an address cannot
}

function isOwnOrigin(headers: Headers, port: number, options: AccessOptions): boolean {
  const origin = URL.parse(headers.get("origin")!);
  return origin?.protocol === "http:" && isOwnHost(origin.host, port, options) &&
    origin.host === headers.get("host");
}

function isAllowed(origin: string, { origins }: AccessOptions): boolean {
  return KNOWN_ORIGINS.includes(origin) || origins.includes(origin);
}

/** Whether a program or a file of this machine asks, or a page that hides its origin. */
function isApplication(origin: string): boolean {
  return !/^https?:\/\//.test(origin);
}

const bare = (name: string) => name.replace(/^\[|\]$/g, "").toLowerCase();
const isLoopback = (name: string) => /^127\.\d+\.\d+\.\d+$/.test(name) || name === "::1";
const isAddress = (name: string) => /^\d+\.\d+\.\d+\.\d+$/.test(name) || name.includes(":");

function cookieIn(headers: Headers, name: string): string | undefined {
  const all = (headers.get("cookie") ?? "").split(/; */);
  return all.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Makes a token. */
export function newToken(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}
