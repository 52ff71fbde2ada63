// How fast values become bytes and come back in an isolate, by the C++ engine and by TypeScript:
// alknet run --import-map js/testing/alknet/import_map.json js/schema/bench/codec.ts
import * as TypeDef from "../src/builders/index.ts";
import { type Codec, compile, compileInScript } from "../src/codec.ts";

const Reading = TypeDef.Struct({
  id: TypeDef.Uint64(),
  label: TypeDef.String({ maxBytes: 15 }),
  values: TypeDef.Array(TypeDef.Float32(), { count: 8 }),
  state: TypeDef.Enum(["idle", "running", "failed"]),
  score: TypeDef.Optional(TypeDef.Float64()),
});
const Message = TypeDef.Struct({ readings: TypeDef.Array(Reading) });
const message = {
  readings: Array.from({ length: 1000 }, (_, i) => ({
    id: i,
    label: `pump ${i}`,
    values: Array.from({ length: 8 }, (_value, j) => i + j / 8),
    state: "running" as const,
    ...(i % 2 === 0 ? { score: i / 3 } : {}),
  })),
};

/** Megabytes a second: the best of several rounds. */
function speed(bytes: number, work: () => unknown): string {
  let best = Infinity;
  for (let round = 0; round < 7; ++round) {
    const begin = performance.now();
    work();
    best = Math.min(best, performance.now() - begin);
  }
  return (bytes / best / 1000).toFixed(1).padStart(8);
}

console.log("MB/s            encode   decode  strict decode");
for (const [name, make] of Object.entries({ "C++ engine": compile, TypeScript: compileInScript })) {
  const codec = make(Message, "packed") as Codec<unknown>;
  const bytes = codec.encode(message);
  const row = [
    speed(bytes.length, () => codec.encode(message)),
    speed(bytes.length, () => codec.decode(bytes)),
    speed(bytes.length, () => codec.decode(bytes, { strict: true })),
  ];
  console.log(name.padEnd(12), ...row);
}
