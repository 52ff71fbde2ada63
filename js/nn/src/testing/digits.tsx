import { Input, Operation, Output, Sequential } from "@alknet/flowgraph";
import type { Node } from "@alknet/ujsx";
import { Conv2d, CrossEntropyLoss, Flatten, Linear, MaxPool2d, ReLU } from "../index.ts";

/** The network of `alknet train digits` as a template. */
export function DigitsCnn(): Node {
  return (
    <Sequential>
      <Input name="images" dtype="f32" shape={["batch", 8, 8]} />
      <Input name="labels" dtype="i64" shape={["batch"]} />
      <Operation name="tensor/unsqueeze" input={{ input: "$.input.images", dim: 1 }} />
      <Conv2d id="conv1" in={1} out={32} kernel_size={3} padding={1} />
      <ReLU />
      <Conv2d id="conv2" in={32} out={64} kernel_size={3} padding={1} />
      <ReLU />
      <MaxPool2d kernel_size={2} />
      <Flatten />
      <Linear id="fc1" in={1024} out={128} />
      <ReLU />
      <Linear id="fc2" in={128} out={10} />
      <CrossEntropyLoss key="loss" input={{ input: "$.output", target: "$.input.labels" }} />
      <Output name="loss" />
      <Output name="logits" value="$.nodes.fc2.output" />
    </Sequential>
  );
}
