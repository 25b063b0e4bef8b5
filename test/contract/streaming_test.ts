/** Ends, loops, streams and flushing are alike in every ring on lanes. */

import { STREAMED } from "./products/streams.ts";
import { testStreaming } from "./streaming.ts";

for (const ring of STREAMED) testStreaming(ring);
