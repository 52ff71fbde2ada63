// fetch (Fetch Standard, section 5.6). What goes over the network is the host's `fetch`, which guards it; web.h has its
// contract.
import { host, load } from "alknet:web";

import { Body } from "./body.js";
import { Request, requestParts } from "./request.js";
import { responseOf } from "./response.js";

const { requireArguments } = load("webidl");

export { Headers } from "./headers.js";
export { Request } from "./request.js";
export { Response } from "./response.js";

/** A body that the host hands over piece by piece: {pull() -> promise of Uint8Array or null, cancel()}. */
function streamOf(source, signal) {
  const stream = new (load("streams").ReadableStream)({
    type: "bytes",
    start(controller) {
      signal.addEventListener("abort", () => {
        try {
          controller.error(signal.reason);
        } catch {
          return; // it had ended
        }
        source.cancel?.();
      });
    },
    async pull(controller) {
      const chunk = await source.pull();
      if (signal.aborted) return;
      if (chunk !== null && chunk.length > 0) return controller.enqueue(chunk);
      if (chunk !== null) return this.pull(controller);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel() {
      source.cancel?.();
    },
  });
  return new Body({ stream });
}

function bodyOf(body, signal) {
  if (body === null || body === undefined) return null;
  if (body instanceof ArrayBuffer) return new Body({ bytes: new Uint8Array(body) });
  if (body instanceof Uint8Array) return new Body({ bytes: body });
  return streamOf(body, signal);
}

export async function fetch(input, init = undefined) {
  requireArguments(arguments.length, 1, "fetch");
  const request = new Request(input, init);
  const { signal } = request;
  signal.throwIfAborted();
  const parts = requestParts(request);
  const body = parts.body ? await parts.body.consume() : null;
  signal.throwIfAborted();
  const answer = await new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    host.fetch({ ...parts, body, signal }).then(resolve, reject);
  });
  return responseOf({
    status: answer.status,
    statusText: answer.statusText ?? "",
    url: answer.url ?? request.url,
    redirected: Boolean(answer.redirected),
    headers: answer.headers ?? [],
    body: bodyOf(answer.body, signal),
  });
}
