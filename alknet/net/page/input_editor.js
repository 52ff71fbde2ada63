import { element, freshId, quietButton } from "./dom.js";
import { arrayMember, isObject } from "./json.js";
import { SchemaForm } from "./schema_form.js";

/** @typedef {import("./json.js").Schema} Schema */

/** The input of an operation, as a form or as JSON text. What is written in one is in the other after a switch. */
export class InputEditor {
  /**
   * @param {Schema} schema
   * @param {import("./form_model.js").FindHandle} findHandle
   * @param {Node} foot  what stands below the fields
   */
  constructor(schema, findHandle, foot) {
    this.form = new SchemaForm(schema, findHandle);
    this.asJson = false;
    this.problem = element("p", { class: "field-error", id: freshId(), role: "alert" });
    this.text = element("textarea", {
      class: "input-json",
      rows: 10,
      spellcheck: "false",
      "aria-label": "input as JSON",
      "aria-describedby": this.problem.id,
      oninput: () => this.say(""),
    });
    this.content = element("div", {});
    this.formButton = quietButton("Form", () => this.showForm(), { class: "quiet segment" });
    this.jsonButton = quietButton("JSON", () => this.showJson(this.form.draft()), { class: "quiet segment" });
    const examples = arrayMember(isObject(schema) ? schema : {}, "examples").slice(0, 4);
    const fillIn = examples.map((example, index) =>
      quietButton(examples.length > 1 ? `Example ${index + 1}` : "Fill in the example", () => this.fill(example)),
    );
    this.element = element(
      "section",
      { class: "card", "aria-label": "Input" },
      element(
        "div",
        { class: "card-head" },
        element("h3", {}, "Input"),
        ...fillIn,
        element(
          "div",
          { class: "segments", role: "group", "aria-label": "write the input as" },
          this.formButton,
          this.jsonButton,
        ),
      ),
      this.content,
      this.problem,
      foot,
    );
    this.show(false);
  }

  /** @param {boolean} asJson */
  show(asJson) {
    this.asJson = asJson;
    this.formButton.setAttribute("aria-pressed", String(!asJson));
    this.jsonButton.setAttribute("aria-pressed", String(asJson));
    this.content.replaceChildren(asJson ? this.text : this.form.element);
    this.say("");
  }

  /** @param {unknown} value */
  showJson(value) {
    if (this.asJson) return;
    this.text.value = JSON.stringify(value ?? {}, null, 2);
    this.show(true);
  }

  showForm() {
    if (!this.asJson) return;
    const written = this.parsed();
    if (written === undefined) return;
    if (this.form.fill(written.value)) this.show(false);
    else this.say("The form has no place for this input; it can be sent as JSON.");
  }

  /** @param {unknown} value */
  fill(value) {
    if (!this.asJson && this.form.fill(value)) return;
    this.text.value = JSON.stringify(value, null, 2);
    this.show(true);
  }

  /** The input to send; undefined, with the problem shown, when there is none. */
  read() {
    return this.asJson ? this.parsed() : this.form.read();
  }

  /** The input as far as it goes, for commands to copy. */
  draft() {
    return this.asJson ? this.parsed()?.value : this.form.draft();
  }

  /** @param {readonly {pointer: string, message: string}[]} violations */
  showViolations(violations) {
    if (!this.asJson) this.form.showViolations(violations);
  }

  parsed() {
    try {
      return { value: /** @type {unknown} */ (JSON.parse(this.text.value)) };
    } catch (error) {
      this.say(`This is no JSON: ${error instanceof Error ? error.message : error}`);
      this.text.focus();
      return undefined;
    }
  }

  /** @param {string} problem */
  say(problem) {
    this.problem.textContent = problem;
  }
}
