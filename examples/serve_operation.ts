// An operation in TypeScript for peers, browsers and curl:
//
//   alknet serve --ops examples/serve_operation.ts --http 127.0.0.1:8080 &
//   curl -s --json '{"text": "a rose is a rose"}' 127.0.0.1:8080/call/text/count_words
//
// Run by itself it calls the operation once: alknet run examples/serve_operation.ts
import { env, operations, unwrap } from "@alknet/operations";

operations.register({
  name: "text/count_words",
  type: "query",
  description: "How often each word stands in a text",
  input: { type: "object", properties: { text: { type: "string", maxLength: 100_000 } }, required: ["text"] },
  output: { type: "object", additionalProperties: { type: "integer" } },
  handler(input) {
    const counts: Record<string, number> = {};
    for (const word of (input as { text: string }).text.toLowerCase().match(/\p{L}+/gu) ?? []) {
      counts[word] = (counts[word] ?? 0) + 1;
    }
    return counts;
  },
});

if (import.meta.main) console.log(await unwrap(env.call("text/count_words", { text: "a rose is a rose" })));
