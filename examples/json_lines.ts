// A data set from JSON Lines: alknet run examples/json_lines.ts [FILE]
//
// Lines become records of a schema in memory, and columns of them tensors.
import { compile, TypeDef } from "@alknet/schema";
import { tensor } from "@alknet/tensor";
import { args } from "@alknet/program";

const sample = [
  '{"plant": "setosa", "size": [5.1, 3.5]}',
  '{"plant": "setosa", "size": [4.9, 3.0]}',
  '{"plant": "virginica", "size": [6.3, 3.3]}',
  '{"plant": "virginica", "size": [5.8, 2.7]}',
].join("\n");
const text = args[0] === undefined ? sample : await fs.readFile(args[0], "utf8");

interface Measurement {
  plant: string;
  size: [number, number];
}
const codec = compile(
  TypeDef.Struct({
    plant: TypeDef.String({ maxBytes: 15 }),
    size: TypeDef.Array(TypeDef.Float32(), { count: 2 }),
  }),
  "packed",
);

const records = text
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => codec.encode(JSON.parse(line)));
console.log(`${records.length} records of ${records[0]?.byteLength} bytes`);

const rows = records.map((bytes) => codec.decode(bytes) as Measurement);
const names = [...new Set(rows.map(({ plant }) => plant))];
const sizes = tensor(rows.map(({ size }) => size));
const labels = tensor(rows.map(({ plant }) => BigInt(names.indexOf(plant))));
console.log("sizes", sizes.shape, sizes.dtype, "labels", labels.shape, labels.dtype);

const mean = await sizes.mean([0]).tolist();
console.log("mean size", (mean as number[]).map((value) => value.toFixed(3)).join(" x "));
declare const fs: { readFile(path: string, encoding: "utf8"): Promise<string> };
