/**
 * Chapter 3: a name for a memory file, and the limit of the directory that has it.
 *
 * @module
 */

import {
  allocate,
  close,
  type FileStatus,
  link,
  list,
  Open,
  open,
  stat,
  unlink,
} from "../../src/os/files.ts";
import { limitOfSharedMemory } from "../kernel_view.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step } from "../stage/story.ts";

/** The steps about /dev/shm; the last one only where it has a limit. */
export function names(page: number): Step[] {
  const limit = limitOfSharedMemory();
  return [aName(), ...limit === undefined ? [] : [tooMuch(page, limit)]];
}

/** Opens a file without a name; it is closed by the caller. */
function unnamed(scene: Scene): number {
  return scene.run("fd", () => open("/dev/shm", Open.write | Open.unnamed, 0o600));
}

function aName(): Step {
  return {
    title: "A name for others to find it by",
    text: `A process can pass a memfd to another, but no process can look it up. For that, Linux has
      a directory whose files are memory too: \`/dev/shm\`.

      We open a file there that has no name yet, give it the name \`path\`, and remove the name again.
      \`0o600\` says who may open it: only its owner, to read and to write.`,
    ask: {
      kind: "choice",
      text: "What happens to the file when its name is removed?",
      options: [
        {
          text: "It stays: our fd holds it",
          right: true,
          because: "A name is only one of the holders of a file.",
        },
        {
          text: "It is deleted at once",
          because: "Only its name is gone. A file lives until its last holder lets go.",
        },
        {
          text: "The removal fails while it is open",
          because: "Linux removes the name at once, whoever has the file open.",
        },
      ],
    },
    run: (scene) => {
      const fd = unnamed(scene);
      const path = `/dev/shm/${scene.name}`;
      const rows: string[][] = [];
      const note = (what: string) => {
        const names = list("/dev/shm");
        const isListed = typeof names !== "number" && names.includes(scene.name);
        const { links } = stat(fd) as FileStatus;
        rows.push([what, `${links}`, isListed ? "yes" : "no"]);
      };
      note("opened without a name");
      scene.look(() => link(fd, path));
      note("linked");
      scene.look(() => unlink(path));
      note("unlinked");
      scene.show(
        tablePicture("names", "The file", [["what was done", "links", "listed"], ...rows]),
      );
      close(fd);
    },
    after: `So the library builds a shared file in private, and gives it a name only when it is
      complete. No process ever sees half of one.`,
  };
}

function tooMuch(page: number, limit: number): Step {
  return {
    title: "More than there is",
    text: `\`/dev/shm\` has a limit, on this machine ${limit} bytes. We ask for one page more.`,
    ask: {
      kind: "choice",
      text: "What does the kernel do?",
      options: [
        {
          text: "It returns an error",
          right: true,
          because: 'Error 28 is ENOSPC, "no space". We get it now, and not at a touch.',
        },
        {
          text: "It takes memory from other programs",
          because: "The kernel would do that for a memfd, which only the machine limits. This " +
            "directory has a limit of its own.",
        },
        {
          text: "It gives addresses and a promise",
          because: "`allocate` makes no promise: it gives the memory now, or it fails now.",
        },
      ],
    },
    run: (scene) => {
      const fd = unnamed(scene);
      scene.look(() => allocate(fd, 0, limit + page));
      close(fd);
    },
  };
}
