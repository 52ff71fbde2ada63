import { Input, Operation, Output, Sequential } from "@alknet/flowgraph";
import { h, type Node } from "@alknet/ujsx";
import { Conv2d, CrossEntropyLoss, Flatten, Linear, MaxPool2d, ReLU } from "../index.ts";

/** The network of `alknet train digits` as a template. */
export function DigitsCnn(): Node {
  return h(
    Sequential,
    {},
    h(Input, { name: "images", dtype: "f32", shape: ["batch", 8, 8] }),
    h(Input, { name: "labels", dtype: "i64", shape: ["batch"] }),
    h(Operation, { name: "tensor/unsqueeze", input: { input: "$.input.images", dim: 1 } }),
    h(Conv2d, { id: "conv1", in: 1, out: 32, kernel_size: 3, padding: 1 }),
    h(ReLU, {}),
    h(Conv2d, { id: "conv2", in: 32, out: 64, kernel_size: 3, padding: 1 }),
    h(ReLU, {}),
    h(MaxPool2d, { kernel_size: 2 }),
    h(Flatten, {}),
    h(Linear, { id: "fc1", in: 1024, out: 128 }),
    h(ReLU, {}),
    h(Linear, { id: "fc2", in: 128, out: 10 }),
    h(CrossEntropyLoss, { key: "loss", input: { input: "$.nodes.fc2.output", target: "$.input.labels" } }),
    h(Output, { name: "loss" }),
    h(Output, { name: "logits", value: "$.nodes.fc2.output" }),
  );
}
