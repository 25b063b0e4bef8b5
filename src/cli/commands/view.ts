/**
 * `vring view`: everything in a browser, and in Foxglove's tools.
 *
 * @module
 */

import { type PictureHint, view as serve } from "../../live/mod.ts";
import {
  type Call,
  type Command,
  Exit,
  matcher,
  millisecondsIn,
  numberIn,
  portIn,
  UsageError,
} from "../command.ts";

const PORT = 8765;

export const view: Command = {
  name: "view",
  summary: "Serves a page that shows everything live, and Foxglove's protocol on the same port.",
  usage: "[PATTERN...]",
  options: {
    port: { value: "PORT", summary: `the port; ${PORT} by default` },
    host: { value: "ADDRESS", summary: "the address; 127.0.0.1 by default, 0.0.0.0 for all" },
    name: { value: "NAME,...", summary: "names of this machine under which browsers ask for it" },
    origin: { value: "URL,...", summary: "pages elsewhere that may connect, with the token" },
    token: { value: "TEXT", summary: "the token that visitors need; a random one by default" },
    open: { summary: "ask for no token: everyone who reaches the port sees everything" },
    publish: { summary: "let Foxglove's tools publish into topics that exist" },
    image: { value: "NAME=WxH,...", summary: "the sizes of images whose type states none" },
    "image-bytes": { value: "BYTES", summary: "the most bytes of an image on the page; 200000" },
    every: { value: "SECONDS", summary: "the time between two looks; 0.25 by default" },
  },
  examples: [
    "vring view",
    "vring view '/robot/**' --image camera/frames=320x240",
    "vring view --host 0.0.0.0 --name robot.local --port 8080",
  ],
  async run(call) {
    const { names, options, out, end } = call;
    const patterns = names.map(matcher);
    const everyMs = millisecondsIn(call, "every", 0.25, 0.05);
    await using shown = serve({
      port: portIn(call, PORT),
      hostname: typeof options.host === "string" ? options.host : undefined,
      token: options.open === true ? false : textIn(call, "token"),
      names: listIn(call, "name"),
      origins: listIn(call, "origin"),
      publish: options.publish === true,
      imageBytes: numberIn(call, "image-bytes", 1000),
      imageSize: hintsIn(listIn(call, "image")),
      matches: (name) => patterns.length === 0 || patterns.some((isMatch) => isMatch(name)),
      everyMs,
    });
    const { url, foxgloveUrl } = shown;
    out.object({ url, foxgloveUrl });
    out.line(`The view:             ${url}`);
    out.line(`Foxglove, Lichtblick: ${foxgloveUrl}`);
    if (options.open === true) out.line("It asks for no token.");
    out.line(out.dim("Ctrl-C ends it."));
    await new Promise<void>((resolve) => {
      if (end.aborted) resolve();
      end.addEventListener("abort", () => resolve(), { once: true });
    });
    return Exit.ok;
  },
};

function textIn({ options }: Call, name: string): string | undefined {
  const value = options[name];
  if (value === "") throw new UsageError(`Cannot use --${name}: it is empty`);
  return typeof value === "string" ? value : undefined;
}

function listIn(call: Call, name: string): string[] {
  return textIn(call, name)?.split(",") ?? [];
}

/** Returns the sizes of images that `NAME=WIDTHxHEIGHT` or `NAME=WIDTHxHEIGHT:ENCODING` state. */
function hintsIn(texts: readonly string[]): (name: string) => PictureHint | undefined {
  const hints = texts.map((text) => {
    const found = /^(.+)=(\d+)x(\d+)(?::(\w+))?$/.exec(text);
    if (found === null) {
      throw new UsageError(`Cannot use --image ${text}: pass NAME=320x240, or NAME=320x240:rgb8`);
    }
    const [, name, width, height, encoding] = found;
    return {
      isMatch: matcher(name!),
      hint: { width: Number(width), height: Number(height), encoding },
    };
  });
  return (name) => hints.find(({ isMatch }) => isMatch(name))?.hint;
}
