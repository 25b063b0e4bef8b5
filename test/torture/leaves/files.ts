/** Stands in for src/os/files.ts: the same, with a step before what others can notice. @module */

import * as real from "../../../src/os/files.ts?real";
import { stepped } from "../steps.ts";

export * from "../../../src/os/files.ts?real";

export const open: typeof real.open = stepped("open", real.open);
export const close: typeof real.close = stepped("close", real.close);
export const truncate: typeof real.truncate = stepped("truncate", real.truncate);
export const allocate: typeof real.allocate = stepped("allocate", real.allocate);
export const chmod: typeof real.chmod = stepped("chmod", real.chmod);
export const link: typeof real.link = stepped("link", real.link);
export const unlink: typeof real.unlink = stepped("unlink", real.unlink);
export const stat: typeof real.stat = stepped("stat", real.stat);
export const statPath: typeof real.statPath = stepped("stat", real.statPath);
export const list: typeof real.list = stepped("list", real.list);
export const read: typeof real.read = stepped("read", real.read);
export const map: typeof real.map = stepped("map", real.map);
export const unmap: typeof real.unmap = stepped("unmap", real.unmap);
