// A data layout as a tree: alknet run examples/layout_tree.tsx
//
// The tree renders to a schema and to the offsets that the C++ engine uses; a signal in it changes both.
import { signal } from "@preact/signals-core";
import { ArrayOf, createLayout, diffLayouts, Field, nextVersion, Struct } from "@alknet/layout";

const count = signal(4);

const Reading = () => (
  <Struct>
    <Field name="id" type="Uint64" />
    <Field name="label" type="String" maxBytes={15} />
    <ArrayOf name="values" of="Float16" count={count} />
    <Field name="score" type="Float32" optional />
  </Struct>
);

const root = createLayout();
root.render(<Reading />);
root.flush();

function show(): void {
  const layout = root.layout("aligned");
  console.log(`a record takes ${layout.size} bytes`);
  for (const { path, offset } of layout.fields) console.log(`  ${path.padEnd(8)} at ${offset}`);
}

show();
count.value = 8; // what changed is laid out anew
root.flush();
show();

const before = (
  <Struct>
    <Field name="id" type="Uint64" />
  </Struct>
);
const after = (
  <Struct>
    <Field name="id" type="Uint64" />
    <Field name="score" type="Float32" optional />
  </Struct>
);
const { bump, changes } = diffLayouts(before, after);
for (const { path, message } of changes) console.log(`${path}: ${message}`);
console.log("version 1.4.2 becomes", nextVersion("1.4.2", bump));
