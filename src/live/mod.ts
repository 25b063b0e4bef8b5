/**
 * A live view of shared memory: a page for browsers, and a server for Foxglove's tools.
 *
 * @module
 */

export { View, view, type ViewClient, type ViewOptions } from "./view.ts";
export type { OutboxFacts } from "./outbox.ts";
export type { PictureHint } from "../record/picture.ts";
