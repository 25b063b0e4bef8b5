/**
 * A web page with the live edges, and figures: frames a second, delay and losses.
 *
 *     deno run --allow-ffi --allow-net --allow-read examples/camera/page.ts
 *
 * @module
 */

import { edges, HEIGHT, WIDTH } from "./frames.ts";

const PAGE = `<!doctype html><meta charset=utf-8><title>Edges</title>
<style>body { font: 16px sans-serif; text-align: center } canvas { width: 100%; max-width: 640px }</style>
<h1>Edges</h1><p>Waiting for the camera</p><canvas width=${WIDTH} height=${HEIGHT}></canvas>
<script>
const context = document.querySelector("canvas").getContext("2d");
const image = context.createImageData(${WIDTH}, ${HEIGHT});
const socket = new WebSocket("/edges");
socket.binaryType = "arraybuffer";
socket.onmessage = ({ data }) => {
  if (typeof data === "string") return document.querySelector("p").textContent = data;
  new Uint8Array(data).forEach((gray, i) => image.data.set([gray, gray, gray, 255], 4 * i));
  context.putImageData(image, 0, 0);
};
</script>`;

Deno.serve({
  port: Number(Deno.args[0] ?? 8000),
  hostname: "localhost",
  onListen: ({ port }) => console.log(`Look at http://localhost:${port}/`),
}, (request) => {
  if (new URL(request.url).pathname !== "/edges") {
    return new Response(PAGE, { headers: { "content-type": "text/html" } });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  const closed = new AbortController();
  socket.onclose = () => closed.abort();
  socket.onopen = async () => {
    using subscriber = edges.subscriber();
    let [shown, lost] = [0, 0];
    const start = Date.now();
    for await (const sample of subscriber.samples({ until: closed.signal })) {
      socket.send(sample.view.pixels);
      const rate = ++shown / (Date.now() - start) * 1000;
      lost += sample.lost;
      const late = Date.now() - sample.view.taken;
      socket.send(`${rate.toFixed(1)} frames a second, ${late.toFixed(1)} ms late, ${lost} lost`);
    }
  };
  return response;
});
