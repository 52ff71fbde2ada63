import { signal } from "@preact/signals-core";
import type { TSchema } from "@sinclair/typebox";
import assert from "node:assert/strict";
import { test } from "node:test";
import { layout, TypeDef } from "@alknet/schema";
import { createComponent, ErrorBoundary, fromJson, type Node, toJson } from "@alknet/ujsx";
import {
  ArrayOf,
  Blob,
  createLayout,
  Field,
  LayoutError,
  RecordOf,
  schemaFor,
  Struct,
  Tensor,
  Union,
} from "./index.ts";

const { Optional, Default } = TypeDef;

const kReading = (
  <Struct>
    <Field name="id" type="Uint64" />
    <Field name="label" type="String" maxBytes={15} />
    <ArrayOf name="values" of="Float16" count={4} />
    <Field name="mode" type="Enum" values={["on", "off"]} default="off" />
    <Field name="at" optional>
      <Struct align={8}>
        <Field name="x" type="Float32" minimum={0} />
        <Blob name="note" of="String" />
      </Struct>
    </Field>
  </Struct>
);

test("elements render to the schema that the builders make", () => {
  const at = TypeDef.Struct({ x: TypeDef.Float32({ minimum: 0 }), note: TypeDef.Blob(TypeDef.String()) }, { align: 8 });
  const built = TypeDef.Struct({
    id: TypeDef.Uint64(),
    label: TypeDef.String({ maxBytes: 15 }),
    values: TypeDef.Array(TypeDef.Float16(), { count: 4 }),
    mode: Default(TypeDef.Enum(["on", "off"]), "off"),
    at: Optional(at),
  });
  assert.deepEqual(schemaFor(kReading), built);
});

test("unions, records, tensors of structs and blobs, items of any kind", () => {
  const cases: [Node, TSchema][] = [
    [
      <Union discriminator="kind">
        <Struct name="circle">
          <Field name="r" type="Float32" />
        </Struct>
        <Struct name="2">
          <Field name="a" type="Float32" />
        </Struct>
      </Union>,
      TypeDef.Union(
        "kind",
        { circle: TypeDef.Struct({ r: TypeDef.Float32() }), "2": TypeDef.Struct({ a: TypeDef.Float32() }) },
        { order: ["circle", "2"] },
      ) as TSchema,
    ],
    [<RecordOf of="Int8" />, TypeDef.Record(TypeDef.Int8())],
    [
      <ArrayOf>
        <ArrayOf count={2}>
          <Field type="String" maxBytes={5} />
        </ArrayOf>
      </ArrayOf>,
      TypeDef.Array(TypeDef.Array(TypeDef.String({ maxBytes: 5 }), { count: 2 })),
    ],
    [<Tensor dtype="F32" shape={[-1, 3]} />, TypeDef.Tensor("F32", [-1, 3])],
    [
      <Tensor shape={[576, 48]} block={{ values: 32, axis: -1 }}>
        <Struct>
          <Field name="d" type="Float16" />
          <ArrayOf name="qs" of="Uint8" count={16} />
        </Struct>
      </Tensor>,
      TypeDef.Tensor(
        TypeDef.Struct({ d: TypeDef.Float16(), qs: TypeDef.Array(TypeDef.Uint8(), { count: 16 }) }),
        [576, 48],
        { block: { values: 32, axis: -1 } },
      ),
    ],
    [
      <Tensor shape={[3]}>
        <Blob of="Json" />
      </Tensor>,
      TypeDef.Tensor(TypeDef.Blob(TypeDef.Json()), [3]),
    ],
  ];
  for (const [tree, schema] of cases) assert.deepEqual(schemaFor(tree), schema);
});

test("fields lie in the order of the tree, also those with integer-like names", () => {
  const root = createLayout();
  root.render(
    <Struct>
      <Field name="b" type="Uint8" />
      <Field name="1" type="Int32" />
      <Field name="a" type="Uint8" optional />
    </Struct>,
  );
  root.flush();
  const { size, fields } = root.layout("aligned");
  // A byte of validity, b, two of padding, 1, a.
  assert.deepEqual([size, fields.map(({ path, offset }) => `${path} ${offset}`)], [12, ["b 1", "1 4", "a 8"]]);
  assert.deepEqual(root.layout("packed").size, null);
});

test("components, fragments, signals and JSON make layouts too", () => {
  const width = signal(2);
  const Pair = createComponent("Pair", ({ name, of }: { name: string; of: "Int8" | "Int64" }) => (
    <Struct name={name}>
      <Field name="x" type={of} />
      <Field name="y" type={of} />
    </Struct>
  ));
  const tree = (
    <Struct>
      <>
        <Pair name="p" of="Int8" />
        {[<Pair name="q" of="Int64" />]}
      </>
      <ArrayOf name="list" of="Uint8" count={width} />
    </Struct>
  );
  const root = createLayout();
  root.render(tree);
  root.flush();
  assert.equal(root.layout("aligned").size, 32);
  width.value = 40;
  root.flush();
  assert.equal(root.layout("aligned").size, 64);
  const again = fromJson(JSON.parse(JSON.stringify(toJson(tree, { components: { Pair } }))), { components: { Pair } });
  assert.deepEqual(schemaFor(again), root.schema.value);
});

test("changing one property changes that field alone", () => {
  const root = createLayout();
  const size = signal<"Float32" | "Float64">("Float32");
  const tree = (more: Node = null): Node => (
    <Struct>
      <Struct name="head">
        <Field name="id" type="Uint32" />
      </Struct>
      <Struct name="body">
        <Field name="x" type={size} />
        <Field name="y" type="Float32" />
      </Struct>
      {more}
    </Struct>
  );
  root.render(tree());
  root.flush();
  const parts = (): Record<string, TSchema> => root.schema.value["properties"] as Record<string, TSchema>;
  const [before, old] = [root.schema.value, parts()];
  const versions: unknown[] = [];
  const stop = root.schema.subscribe((schema) => versions.push(schema));
  root.render(tree());
  root.flush();
  assert.equal(root.schema.value, before, "nothing changed");

  size.value = "Float64";
  root.flush();
  const now = parts();
  assert.equal(now["head"], old["head"]);
  assert.notEqual(now["body"], old["body"]);
  const inner = (of: Record<string, TSchema>): TSchema =>
    (of["body"]?.["properties"] as Record<string, TSchema>)["y"] as TSchema;
  assert.equal(inner(now), inner(old));
  assert.deepEqual(root.layout("aligned").size, 24);

  root.render(tree(<Field name="more" type="Uint8" />));
  root.flush();
  assert.equal(parts()["body"], now["body"]);
  assert.equal(versions.length, 3);
  stop();
});

test("what is wrong is refused by its element", () => {
  const cases: [Node, string, RegExp][] = [
    [null, "empty", /^root: the tree has no element/],
    [[<Field type="Int8" />, <Field type="Int8" />], "bad_children", /^Field\[1\]: a layout has one outermost element/],
    [<Field name="a" type="Int8" />, "bad_property", /^Field: the outermost element is no field/],
    [<Struct />, "bad_children", /^Struct: <Struct> needs at least one field/],
    [
      <Struct>
        <Field type="Int8" />
      </Struct>,
      "bad_property",
      /^Struct\/Field: it needs a `name`, as each field of <Struct>/,
    ],
    [
      <Struct>
        <Field name="a" type="Int8" />
        <Field name="a" type="Int8" />
      </Struct>,
      "bad_children",
      /^Struct\/Field\[1\]: there are two fields of the name "a"/,
    ],
    [<Field type={"Int9" as "Int8"} />, "unknown_type", /^Field: there is no kind "Int9"/],
    [<Field type={"toString" as "Int8"} />, "unknown_type", /there is no kind "toString"/],
    [<Field type="Enum" />, "bad_property", /an Enum needs `values`/],
    [<Field {...({ typ: "Int8" } as object)} />, "bad_property", /^Field: <Field> has no property "typ": it has name/],
    [<Field {...{ type: 5 as unknown as "Int8" }} />, "bad_property", /`type` has to be of type string, not number/],
    [
      <Tensor dtype="F32" shape={5 as unknown as number[]} />,
      "bad_property",
      /`shape` has to be of type array, not number/,
    ],
    [<ArrayOf />, "bad_children", /^ArrayOf: <ArrayOf> without `of` has one element inside, not 0/],
    [
      <ArrayOf of="Int8">
        <Field type="Int8" />
      </ArrayOf>,
      "bad_children",
      /either `of` or an element inside/,
    ],
    [
      <ArrayOf>
        <Field name="x" type="Int8" />
      </ArrayOf>,
      "bad_property",
      /^ArrayOf\/Field: what is inside <ArrayOf> is no field/,
    ],
    [
      <Field align={8}>
        <Blob of="String" />
      </Field>,
      "bad_property",
      /`align` belongs to the element inside/,
    ],
    [
      <Union discriminator="k">
        <Field name="a" type="Int8" />
      </Union>,
      "bad_children",
      /^Union\/Field: a variant of <Union> is a <Struct>/,
    ],
  ];
  for (const [tree, code, message] of cases) {
    assert.throws(
      () => schemaFor(tree),
      (error) => {
        assert.ok(error instanceof LayoutError);
        assert.match(error.message, message);
        assert.equal(error.code, code);
        return true;
      },
    );
  }
  assert.throws(() => schemaFor(["text"]), { code: "bad_node" });
});

test("what the engine refuses is refused when a layout is asked for", () => {
  const root = createLayout();
  root.render(
    <Struct>
      <Field name="s" type="String" />
    </Struct>,
  );
  root.flush();
  assert.equal(root.layout("packed").size, null);
  assert.throws(() => root.layout("aligned"), { code: "bad_schema", message: /maxBytes/ });
});

test("a change that is refused leaves the layout as it was; a boundary stands in", () => {
  const kind = signal("Int8");
  const root = createLayout();
  root.render(
    <Struct>
      <ErrorBoundary fallback={<Field name="a" type="Uint8" />}>
        <Field name="a" type={kind as unknown as "Int8"} values={[]} />
      </ErrorBoundary>
      <Field name="b" type="Int16" />
    </Struct>,
  );
  root.flush();
  assert.deepEqual(root.schema.value["properties"]["b"], TypeDef.Int16());
  assert.deepEqual(root.schema.value["properties"]["a"], TypeDef.Int8());
  const bad = createLayout();
  bad.render(
    <Struct>
      <ErrorBoundary fallback={<Field name="a" type="Uint8" />}>
        <Field name="a" type={"What" as "Int8"} />
      </ErrorBoundary>
    </Struct>,
  );
  bad.flush();
  assert.deepEqual(bad.schema.value["properties"]["a"], TypeDef.Uint8());
  // What only shows when all is in place is told on reading.
  kind.value = "What";
  root.flush();
  assert.throws(() => root.schema.value, { code: "unknown_type", path: "Struct/ErrorBoundary/Field" });
  kind.value = "Int32";
  root.flush();
  assert.equal(layout(root.schema.value, "aligned").size, 8);
});

test("elements of other hosts may be taken for what is inside them", () => {
  const tree = (
    <Struct>
      <panel wide>
        <Field name="a" type="Int8" />
        <row>
          <Field name="b" type="Int8" />
        </row>
      </panel>
    </Struct>
  );
  assert.throws(() => schemaFor(tree), { code: "unknown_type", path: "Struct/panel" });
  assert.deepEqual(Object.keys(schemaFor(tree, { others: "through" })["properties"] as object), ["a", "b"]);
});
