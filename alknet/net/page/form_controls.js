import { kElementTypes } from "./bytes.js";
import { element } from "./dom.js";
import { arrayMember, textMember } from "./json.js";

/** @typedef {import("./form_model.js").FormNode} FormNode */
/** @typedef {import("./schema.js").ShapeKind} ShapeKind */
/** @typedef {import("./schema_form.js").SchemaForm} SchemaForm */

const kExampleLength = 80;

/** The element that lists the handles of the session; see session_panel.js. */
export const kHandleListId = "handle-list";

/** Kinds whose control holds other rows. */
export const kNested = new Set(["object", "record", "array", "choice"]);

/** @typedef {(node: FormNode, form: SchemaForm, describedBy: string) => HTMLElement} Control */

/** @type {Record<ShapeKind, Control>} */
export const kControls = {
  object: (node, form) => form.body(node),
  record: (node, form) => form.body(node),
  array: (node, form) => form.items(node),
  choice: choiceControl,
  list: textControl(1, "decimal"),
  integer: textControl(1, "numeric"),
  number: textControl(1, "decimal"),
  string: textControl(1),
  timestamp: textControl(1),
  json: textControl(4),
  bytes: bytesControl,
  tensor(node, form, describedBy) {
    const input = textControl(1)(node, form, describedBy);
    input.setAttribute("list", kHandleListId);
    input.setAttribute("placeholder", "a handle of this session, such as h1");
    return input;
  },
  enum(node, form, describedBy) {
    const options = node.shape.options.map((option, index) =>
      element(
        "option",
        { value: index, selected: index === node.selected },
        typeof option === "string" ? option : JSON.stringify(option),
      ),
    );
    return element(
      "select",
      {
        "aria-describedby": describedBy,
        onchange: (/** @type {{target: HTMLSelectElement}} */ { target }) => {
          node.selected = Number(target.value);
          form.edited(node);
        },
      },
      ...options,
    );
  },
  boolean(node, form, describedBy) {
    return element("input", {
      type: "checkbox",
      class: "switch",
      role: "switch",
      "aria-describedby": describedBy,
      checked: node.checked,
      onchange: (/** @type {{target: HTMLInputElement}} */ { target }) => {
        node.checked = target.checked;
        form.edited(node);
      },
    });
  },
  const: (node) => element("output", { class: "constant" }, JSON.stringify(node.shape.options[0])),
  null: () => element("output", { class: "constant" }, "null"),
  never: () => element("output", { class: "constant" }, "no value is allowed here"),
};

/**
 * @param {number} lines
 * @param {string} [mode]  the keyboard of a touch screen
 * @returns {Control}
 */
function textControl(lines, mode) {
  return (node, form, describedBy) => {
    const long = lines > 1 || node.text.includes("\n") || isLong(node);
    const attributes = {
      "aria-describedby": describedBy,
      placeholder: placeholderOf(node),
      inputmode: mode,
      spellcheck: "false",
      autocomplete: "off",
      oninput: (/** @type {{target: HTMLInputElement}} */ { target }) => {
        node.text = target.value;
        // An optional field that is emptied is left out, but a text may be empty.
        const emptied = node.optional && node.text === "" && node.shape.kind !== "string";
        form.edited(node, !emptied);
      },
    };
    const control = long
      ? element("textarea", { rows: lines, class: node.shape.kind === "string" ? "prose" : "", ...attributes })
      : element("input", { type: "text", ...attributes });
    control.value = node.text;
    return control;
  };
}

/** @param {FormNode} node */
function isLong({ shape }) {
  const limit = shape.schema["maxLength"];
  return shape.kind === "string" && typeof limit === "number" && limit > 200;
}

/** @param {FormNode} node */
function placeholderOf({ shape }) {
  const example = arrayMember(shape.schema, "examples")[0] ?? shape.schema["default"];
  if (example === undefined) return shape.kind === "list" ? "numbers, separated by commas" : undefined;
  const text = typeof example === "string" ? example : JSON.stringify(example);
  const plain = shape.kind === "list" ? text.replaceAll(/[[\]]/g, "").replaceAll(",", ", ") : text;
  return plain.length > kExampleLength ? `${plain.slice(0, kExampleLength)}…` : plain;
}

/** @type {Control} */
function choiceControl(node, form) {
  const body = element("div", { class: "variant" });
  const show = () => body.replaceChildren(...(node.variant ? [variantRow(node.variant, form)] : []));
  const select = element(
    "select",
    {
      "aria-label": "form of the value",
      onchange: (/** @type {{target: HTMLSelectElement}} */ { target }) => {
        node.choose(Number(target.value));
        show();
        form.edited(node);
      },
    },
    ...node.shape.variants.map(({ label }, index) =>
      element("option", { value: index, selected: index === node.selected }, label),
    ),
  );
  show();
  return element("div", { class: "choice" }, select, body);
}

/**
 * @param {FormNode} node
 * @param {SchemaForm} form
 */
function variantRow(node, form) {
  const row = form.row(node, textMember(node.shape.schema, "title") || "value");
  row.classList.add("variant-row");
  return row;
}

const kFileForm = "file";

/** @type {Control} */
function bytesControl(node, form, describedBy) {
  const field = element("div", { class: "bytes-field" });
  const chosen = element("span", { class: "note" });
  const showFile = () =>
    (chosen.textContent = node.file ? `${node.file.name}, ${node.file.bytes.length.toLocaleString("en")} bytes` : "");
  const forms = [
    ["base64", "base64"],
    ["text", "text"],
    ...Object.keys(kElementTypes).map((type) => [type, `numbers, ${type}`]),
    [kFileForm, "a file"],
  ];
  const show = () => {
    if (select.value !== kFileForm) return field.replaceChildren(textControl(3)(node, form, describedBy));
    field.replaceChildren(element("input", { type: "file", "aria-describedby": describedBy, onchange: pick }), chosen);
  };
  const pick = async (/** @type {{target: HTMLInputElement}} */ { target }) => {
    const file = target.files?.[0];
    if (file === undefined) return;
    node.file = { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
    showFile();
    form.edited(node);
  };
  const select = element(
    "select",
    {
      "aria-label": "how the bytes are given",
      onchange: () => {
        if (select.value !== kFileForm) node.form = select.value;
        node.file = undefined;
        showFile();
        show();
      },
    },
    ...forms.map(([value, label]) =>
      element("option", { value, selected: value === (node.file ? kFileForm : node.form) }, label),
    ),
  );
  show();
  showFile();
  return element("div", { class: "bytes" }, field, select);
}
