import { element, freshId, longText, quietButton } from "./dom.js";
import { kControls, kNested } from "./form_controls.js";
import { FormModel } from "./form_model.js";
import { limitsText } from "./schema_tree.js";

/** @typedef {import("./form_model.js").FormNode} FormNode */
/** @typedef {import("./json.js").Schema} Schema */

/**
 * @typedef {object} Place  Where a node is shown.
 * @property {HTMLElement} row
 * @property {HTMLElement} error
 * @property {HTMLElement} control  what takes the focus
 * @property {boolean} touched  the user has been here: problems may be shown
 */

const kShownMembers = 100;

/** A form made from a schema. */
export class SchemaForm {
  /**
   * @param {Schema} schema
   * @param {import("./form_model.js").FindHandle} findHandle
   */
  constructor(schema, findHandle) {
    this.model = new FormModel(schema, findHandle);
    /** @type {WeakMap<FormNode, Place>} */
    this.places = new WeakMap();
    this.element = element("div", { class: "form" });
    /** What is wrong with a field that is not shown yet. */
    this.hiddenProblem = element("p", { class: "field-error", role: "alert" });
    this.render();
  }

  render() {
    const { node } = this.model;
    const bare = node.shape.kind === "object" || node.shape.kind === "record";
    this.hiddenProblem.textContent = "";
    this.element.replaceChildren(bare ? this.bareRow(node) : this.row(node, "input"), this.hiddenProblem);
  }

  /**
   * The input; with problems they are shown and the first one has the focus.
   * @returns {{value: unknown} | undefined}
   */
  read() {
    const { value, errors } = this.model.read();
    this.show(errors);
    if (errors.length === 0) return { value };
    const first = errors.map(({ node }) => this.places.get(node)).find((place) => place !== undefined);
    first?.control.focus();
    const hidden = errors.find(({ node }) => !this.places.has(node));
    this.hiddenProblem.textContent = hidden ? `${hidden.pointer}: ${hidden.message}` : "";
    return undefined;
  }

  /** The input as far as it goes. */
  draft() {
    return this.model.read().value;
  }

  /**
   * Shows a whole input in the fields; false when it does not fit them.
   * @param {unknown} value
   */
  fill(value) {
    const fits = this.model.fill(value);
    this.render();
    return fits;
  }

  /**
   * Shows problems that the gateway found at their fields; those are left that have none.
   * @param {readonly {pointer: string, message: string}[]} violations
   */
  showViolations(violations) {
    this.show(violations.map(({ pointer, message }) => ({ node: this.model.find(pointer), pointer, message })));
  }

  /** @param {readonly import("./form_model.js").FormError[]} errors */
  show(errors) {
    this.eachPlace((_node, place) => setError(place, ""));
    for (const { node, message } of errors) {
      const place = this.places.get(node);
      if (place === undefined || place.error.textContent !== "") continue;
      place.touched = true;
      setError(place, message);
    }
  }

  /** @param {(node: FormNode, place: Place) => void} visit */
  eachPlace(visit) {
    const waiting = [this.model.node];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      const place = this.places.get(node);
      if (place !== undefined) visit(node, place);
      if (node.variant !== undefined) waiting.push(node.variant);
      for (const [, child] of node.children()) waiting.push(child);
    }
  }

  /**
   * Says what is wrong where the user has been.
   * @param {FormNode} node  where he is now
   */
  touch(node) {
    const place = this.places.get(node);
    if (place !== undefined) place.touched = true;
    const { errors } = this.model.read();
    const messages = new Map(errors.map((error) => [error.node, error.message]));
    this.eachPlace((other, { touched }) => {
      const shown = this.places.get(other);
      if (touched && shown) setError(shown, messages.get(other) ?? "");
    });
  }

  // --- rows -------------------------------------------------------------------------------------------------------

  /**
   * The members of the whole input, without a frame.
   * @param {FormNode} node
   */
  bareRow(node) {
    const error = element("p", { class: "field-error", id: freshId(), "aria-live": "polite" });
    const row = element("div", { class: "field bare" });
    this.places.set(node, { row, error, control: row, touched: false });
    const empty = node.shape.kind === "object" && node.members.size === 0 && node.shape.values === undefined;
    row.append(empty ? element("p", { class: "note" }, "This operation takes no input.") : this.body(node), error);
    return row;
  }

  /**
   * @param {FormNode} node
   * @param {string} name
   * @param {Node} [beside]  at the end of the first line
   */
  row(node, name, beside) {
    const { shape } = node;
    const error = element("p", { class: "field-error", id: freshId(), "aria-live": "polite" });
    const note = element("p", { class: "note", id: freshId() }, shape.description && longText(shape.description, 300));
    const described = `${note.id} ${error.id}`;
    const control = kControls[shape.kind](node, this, described);
    const nested = kNested.has(shape.kind);
    const focus = nested ? control : (focusable(control) ?? control);
    if (focus.id === "") focus.id = freshId();
    const limits = limitsText(shape.kind === "enum" ? { ...shape, options: [] } : shape);
    const hint = shape.kind === "const" ? "" : limits;
    const title = element("span", { class: "field-name" }, longText(name, 120));
    const label = nested
      ? element("span", { class: "label", id: freshId() }, title)
      : element("label", { for: focus.id }, title);
    if (nested) {
      control.setAttribute("role", "group");
      control.setAttribute("aria-labelledby", label.id);
      control.tabIndex = -1;
    }
    const include = node.optional ? this.includeBox(node, name) : undefined;
    // The items of a list are all alike: their type stands above them.
    const compact = beside !== undefined && !nested;
    const head = element(
      "div",
      { class: "field-head" },
      include,
      label,
      !compact && element("span", { class: "schema-type" }, longText(shape.type, 80)),
      !node.optional && beside === undefined && element("span", { class: "required" }, "required"),
      !compact && hint && element("span", { class: "schema-limits" }, longText(hint, 160)),
      !compact && beside,
    );
    const row = element(
      "div",
      { class: "field" },
      head,
      shape.description && !compact ? note : null,
      control,
      compact && beside,
      error,
    );
    row.classList.toggle("compact", compact);
    row.dataset["kind"] = shape.kind;
    this.places.set(node, { row, error, control: focus, touched: false });
    showIncluded(row, node, nested);
    return row;
  }

  /**
   * @param {FormNode} node
   * @param {string} name
   */
  includeBox(node, name) {
    return element("input", {
      type: "checkbox",
      class: "include",
      title: "send this value",
      "aria-label": `send ${name}`,
      checked: node.included,
      onchange: (/** @type {{target: HTMLInputElement}} */ { target }) => {
        node.include(target.checked);
        this.replace(node, name);
        this.touch(node);
        const place = this.places.get(node);
        place?.row.querySelector("input")?.focus();
      },
    });
  }

  /**
   * Builds the row of a node again.
   * @param {FormNode} node
   * @param {string} name
   */
  replace(node, name) {
    this.places.get(node)?.row.replaceWith(this.row(node, name));
  }

  /**
   * What the user does in a field sends its value, or leaves it out again.
   * @param {FormNode} node
   * @param {boolean} [included]
   */
  edited(node, included = true) {
    node.include(included);
    const row = this.places.get(node)?.row;
    const box = row?.querySelector(":scope > .field-head > .include");
    if (box instanceof HTMLInputElement) box.checked = included;
    if (row) showIncluded(row, node, kNested.has(node.shape.kind));
    this.touch(node);
  }

  /**
   * The members of an object or record; many are shown a page at a time.
   * @param {FormNode} node
   */
  body(node) {
    const box = element("div", { class: "members" });
    const members = [...node.members];
    const show = (/** @type {number} */ from) => {
      box.append(...members.slice(from, from + kShownMembers).map(([name, child]) => this.row(child, name)));
      const left = members.length - from - kShownMembers;
      if (left <= 0) return;
      const more = quietButton(`${left} more fields`, () => {
        more.remove();
        show(from + kShownMembers);
      });
      box.append(more);
    };
    show(0);
    if (node.shape.values === undefined) return box;
    const entries = element("div", { class: "entries" }, ...node.entries.map((entry) => this.entryRow(node, entry)));
    const add = quietButton(
      "+ add member",
      () => {
        const made = this.entryRow(node, node.addEntry(""));
        entries.append(made);
        focusable(made)?.focus();
        this.edited(node);
      },
      { class: "quiet add" },
    );
    box.append(entries, add);
    return box;
  }

  /**
   * @param {FormNode} node  the record
   * @param {{key: string, node: FormNode}} entry
   */
  entryRow(node, entry) {
    const key = element("input", {
      type: "text",
      class: "entry-key",
      "aria-label": "name of the member",
      placeholder: "name",
      value: entry.key,
      oninput: (/** @type {{target: HTMLInputElement}} */ { target }) => {
        entry.key = target.value;
        this.edited(node);
      },
    });
    const remove = quietButton("remove", () => {
      node.entries.splice(node.entries.indexOf(entry), 1);
      row.remove();
      this.edited(node);
    });
    const row = element("div", { class: "entry" }, key, this.row(entry.node, "value", remove));
    return row;
  }

  /**
   * The items of an array.
   * @param {FormNode} node
   */
  items(node) {
    const list = element("div", { class: "items" });
    const show = () =>
      list.replaceChildren(...node.items.map((item, index) => this.row(item, `[${index}]`, remove(item))));
    const remove = (/** @type {FormNode} */ item) =>
      quietButton("remove", () => {
        node.items.splice(node.items.indexOf(item), 1);
        show();
        this.edited(node);
      });
    const add = quietButton(
      "+ add item",
      () => {
        const item = node.addItem();
        const row = this.row(item, `[${node.items.length - 1}]`, remove(item));
        list.append(row);
        focusable(row)?.focus();
        this.edited(node);
      },
      { class: "quiet add" },
    );
    show();
    return element("div", { class: "members" }, list, add);
  }
}

/**
 * @param {Place} place
 * @param {string} message
 */
function setError(place, message) {
  if (place.error.textContent !== message) place.error.textContent = message;
  place.row.classList.toggle("wrong", message !== "");
  if (message === "") place.control.removeAttribute("aria-invalid");
  else place.control.setAttribute("aria-invalid", "true");
}

/**
 * @param {HTMLElement} row
 * @param {FormNode} node
 * @param {boolean} nested
 */
function showIncluded(row, node, nested) {
  row.classList.toggle("left-out", !node.included);
  row.classList.toggle("folded", !node.included && nested);
}

/**
 * The first control in an element, or itself.
 * @param {HTMLElement} within
 * @returns {HTMLElement | null}
 */
export function focusable(within) {
  const selector = "input:not(.include), select, textarea";
  return within.matches(selector) ? within : within.querySelector(selector);
}
