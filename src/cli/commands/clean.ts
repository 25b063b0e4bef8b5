/**
 * `vring clean`: removes what killed programs have left.
 *
 * @module
 */

import { sweep } from "../../region/list.ts";
import { type Command, Exit } from "../command.ts";
import { found } from "../found.ts";
import { bytesInWords, harmless } from "../output.ts";

export const clean: Command = {
  name: "clean",
  summary: "Removes the regions that no program uses and that do not persist.",
  usage: "",
  options: { "dry-run": { summary: "only show what would be removed" } },
  examples: ["vring clean --dry-run", "vring clean"],
  run(call) {
    const { out, options } = call;
    const isTrial = options["dry-run"] !== undefined;
    const gone = isTrial
      ? found({ names: [], options: {} }).filter(({ details, inUse }) =>
        details !== undefined && !details.persist && inUse === false
      )
      : sweep();
    for (const { kind, name, allocatedBytes } of gone) {
      out.object({ kind, name, allocatedBytes, removed: !isTrial });
      out.line(
        `${isTrial ? "would remove" : "removed"} ${kind} ${harmless(name)}, ` +
          bytesInWords(allocatedBytes),
      );
    }
    if (gone.length === 0) out.line("There is nothing to remove.");
    if (gone.length > 1) {
      const bytes = gone.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
      out.line(`${gone.length} regions with ${bytesInWords(bytes)}`);
    }
    return Exit.ok;
  },
};
