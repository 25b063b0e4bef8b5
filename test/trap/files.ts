/** Stands in for src/os/files.ts: the same, with a step before what can fail or be noticed. @module */

import * as real from "../../src/os/files.ts?real";
import { trapped } from "./trap.ts";

export * from "../../src/os/files.ts?real";

export const allocate: typeof real.allocate = trapped("allocate", real.allocate);
export const bufferAt: typeof real.bufferAt = trapped("bufferAt", real.bufferAt);
export const chmod: typeof real.chmod = trapped("chmod", real.chmod);
export const close: typeof real.close = trapped("close", real.close);
export const fill: typeof real.fill = trapped("allocate", real.fill);
export const link: typeof real.link = trapped("link", real.link);
export const list: typeof real.list = trapped("list", real.list);
export const map: typeof real.map = trapped("map", real.map);
export const open: typeof real.open = trapped("open", real.open);
export const read: typeof real.read = trapped("read", real.read);
export const retire: typeof real.retire = trapped("retire", real.retire);
export const setGroup: typeof real.setGroup = trapped("setGroup", real.setGroup);
export const space: typeof real.space = trapped("space", real.space);
export const stat: typeof real.stat = trapped("stat", real.stat);
export const statPath: typeof real.statPath = trapped("statPath", real.statPath);
export const truncate: typeof real.truncate = trapped("truncate", real.truncate);
export const unlink: typeof real.unlink = trapped("unlink", real.unlink);
export const unmap: typeof real.unmap = trapped("unmap", real.unmap);
