/**
 * Decides who may talk to the server: a browser on this machine that was given the token.
 *
 * A web page of another site can send requests to 127.0.0.1, and can give its own name that address
 * (DNS rebinding). So the Host must be ours, a request that acts must come from our own page, and
 * every request needs the cookie, which only the address with the token sets.
 *
 * @module
 */

const COOKIE = "vring-learn";

/** Guards a server on a port of 127.0.0.1. */
export class Gate {
  /** The secret in the address that is printed. */
  readonly token: string;
  readonly #hosts: readonly string[];
  readonly #cookie: string;

  constructor(port: number, token: string = randomToken()) {
    this.token = token;
    this.#hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
    this.#cookie = `${COOKIE}-${port}`; // cookies do not know ports
  }

  /** Returns the refusal of a request, or the answer that sets the cookie; undefined to let it in. */
  answer(request: Request): Response | undefined {
    const url = new URL(request.url);
    const host = request.headers.get("host") ?? "";
    if (!this.#hosts.includes(host)) return refuse(`the host ${host} is not this server`);
    const origin = request.headers.get("origin");
    if (origin !== null && origin !== `http://${host}`) {
      return refuse(`${origin} is another site`);
    }
    if (request.method !== "GET" && origin === null) {
      return refuse("a request that acts must name its origin");
    }
    const given = url.searchParams.get("token");
    if (given !== null && request.method === "GET") {
      return isSame(given, this.token) ? this.#letIn(url) : refuse("the token is wrong");
    }
    const found = cookiesOf(request).get(this.#cookie) ?? "";
    return isSame(found, this.token)
      ? undefined
      : refuse("open the address that `deno task learn` has printed, with its token");
  }

  /** Sets the cookie and goes on to the address without the token, so that it stays in no history. */
  #letIn(url: URL): Response {
    url.searchParams.delete("token");
    return new Response(null, {
      status: 303,
      headers: {
        location: `${url.pathname}${url.search}`,
        "set-cookie": `${this.#cookie}=${this.token}; HttpOnly; SameSite=Strict; Path=/`,
        "cache-control": "no-store",
      },
    });
  }
}

function randomToken(): string {
  return crypto.getRandomValues(new Uint8Array(24)).toHex();
}

function refuse(why: string): Response {
  return new Response(`Not allowed: ${why}.\n`, { status: 403 });
}

function cookiesOf(request: Request): Map<string, string> {
  const pairs = (request.headers.get("cookie") ?? "").split(/; */).map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return new Map(pairs);
}

/** Compares in a time that does not depend on where the two differ. */
function isSame(given: string, wanted: string): boolean {
  if (given.length !== wanted.length) return false;
  let difference = 0;
  for (let i = 0; i < wanted.length; i++) difference |= given.charCodeAt(i) ^ wanted.charCodeAt(i);
  return difference === 0;
}
