// Serves items without an end to nobody in particular.
// expects: TIMEOUT RESOURCE_EXHAUSTED SCRIPT_ERROR
const stream = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1_000)) });
for await (const chunk of stream) if (chunk.length === 0) break;
