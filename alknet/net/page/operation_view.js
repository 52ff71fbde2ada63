import { alknetCommand, curlCommand } from "./command.js";
import { copyButton, element, longText } from "./dom.js";
import { errorView } from "./error_view.js";
import { GatewayError, summaryOf } from "./gateway.js";
import { InputEditor } from "./input_editor.js";
import { arrayMember, isSchema, member, numberMember, textMember } from "./json.js";
import { jsonView } from "./json_view.js";
import { badge } from "./operation_list.js";
import { focusable } from "./schema_form.js";
import { schemaTree } from "./schema_tree.js";
import { StreamView } from "./stream_view.js";
import { tabList } from "./tabs.js";

/** @typedef {import("./json.js").JsonObject} JsonObject */

/**
 * @typedef {object} Surroundings  What a view works with.
 * @property {import("./gateway.js").Gateway} gateway
 * @property {import("./handles.js").HandleTable} handles
 * @property {() => void} askToken
 */

/** One operation: what it is, its input, the call, and what came of it. */
export class OperationView {
  /**
   * @param {JsonObject} spec  as GET /schema answers
   * @param {Surroundings} surroundings
   */
  constructor(spec, { gateway, handles, askToken }) {
    this.spec = spec;
    this.summary = summaryOf(spec);
    this.gateway = gateway;
    this.handles = handles;
    this.askToken = askToken;
    this.streams = this.summary.type === "subscription";
    /** @type {AbortController | undefined} */
    this.running = undefined;
    this.callButton = element(
      "button",
      { type: "button", class: "primary", "aria-keyshortcuts": "Control+Enter", onclick: () => void this.call() },
      this.streams ? "Start" : "Call",
    );
    this.stopButton = element(
      "button",
      { type: "button", hidden: true, "aria-keyshortcuts": "Escape", onclick: () => this.stop() },
      "Stop",
    );
    this.keys = element("span", { class: "keys" }, element("kbd", {}, "Ctrl"), " ", element("kbd", {}, "Enter"));
    this.status = element("p", { class: "status", role: "status" });
    this.result = element("section", { class: "card result", "aria-label": "Result" });
    /** @type {InputEditor} */
    this.input = new InputEditor(schemaMember(spec, "input_schema"), (id) => handles.find(id), this.callLine());
    this.element = element(
      "article",
      { class: "operation" },
      this.header(),
      element(
        "div",
        { class: "columns" },
        element("div", { class: "main-column" }, this.input.element, this.result),
        this.reference(),
      ),
    );
  }

  header() {
    const { name, type, title, description, tags } = this.summary;
    const slash = name.lastIndexOf("/") + 1;
    this.heading = element(
      "h2",
      { tabindex: -1 },
      element("span", { class: "namespace" }, name.slice(0, slash)),
      name.slice(slash),
    );
    const timeout = numberMember(this.spec, "default_timeout_ms");
    const access = member(this.spec, "access_control");
    const scopes = [...arrayMember(access, "required_scopes"), ...arrayMember(access, "required_scopes_any")].filter(
      (scope) => typeof scope === "string",
    );
    const version = textMember(this.spec, "version");
    return element(
      "header",
      {},
      element("div", { class: "title-line" }, this.heading, badge(type)),
      title && element("p", { class: "title" }, longText(title, 200)),
      description && element("p", { class: "description" }, longText(description)),
      element(
        "p",
        { class: "chips" },
        ...tags.slice(0, 20).map((tag) => element("span", { class: "chip" }, longText(tag, 40))),
        ...scopes.map((scope) => element("span", { class: "chip scope" }, `needs ${scope}`)),
        timeout !== undefined && element("span", { class: "chip" }, `time limit ${timeout} ms`),
        version !== "" && element("span", { class: "chip" }, `version ${version}`),
      ),
    );
  }

  /** @returns {HTMLElement} */
  callLine() {
    const request = () => ({
      base: this.gateway.base,
      operation: this.summary.name,
      input: this.input.draft() ?? {},
      stream: this.streams,
      session: this.gateway.session,
      token: this.gateway.token !== "",
    });
    return element(
      "div",
      { class: "call-line" },
      this.callButton,
      this.stopButton,
      this.keys,
      this.status,
      copyButton("Copy curl", () => curlCommand(request()), { title: "copy this call as a curl command" }),
      copyButton("Copy alknet", () => alknetCommand(request()), { title: "copy this call as an alknet command" }),
    );
  }

  reference() {
    const errors = arrayMember(this.spec, "error_schemas");
    return element(
      "aside",
      { class: "card reference", "aria-label": "Schemas" },
      element("h3", {}, "Schemas"),
      tabList("schemas", [
        { name: "Input", build: () => schemaTree(schemaMember(this.spec, "input_schema")) },
        { name: this.streams ? "Items" : "Output", build: () => schemaTree(schemaMember(this.spec, "output_schema")) },
        { name: `Errors${errors.length > 0 ? ` ${errors.length}` : ""}`, build: () => errorList(errors) },
        { name: "JSON", build: () => specText(this.spec) },
      ]),
    );
  }

  /** Puts the focus where work begins: the first field, else the button. */
  focus() {
    (focusable(this.input.content) ?? this.callButton).focus();
  }

  /** Calls the operation, or starts the subscription, with what the form holds. */
  async call() {
    if (this.running) return;
    const input = this.input.read();
    if (input === undefined) return this.say("The input is not complete.", "bad");
    const running = new AbortController();
    this.setRunning(running);
    this.say(this.streams ? "Live" : "Calling …", "busy");
    try {
      await (this.streams ? this.follow(input.value, running.signal) : this.callOnce(input.value, running.signal));
    } catch (error) {
      if (running.signal.aborted) this.say("Stopped", "quiet");
      else this.fail(error);
    }
    this.setRunning(undefined);
  }

  /**
   * @param {unknown} input
   * @param {AbortSignal} signal
   */
  async callOnce(input, signal) {
    this.result.replaceChildren();
    const { output, milliseconds, bytes } = await this.gateway.call(this.summary.name, input, signal);
    this.handles.note(this.summary.name, input, output);
    this.say(`OK · ${duration(milliseconds)} · ${size(bytes)}`, "good");
    const copy = copyButton("Copy JSON", () => JSON.stringify(output, null, 2));
    this.showResult(
      element("div", { class: "card-head" }, element("h3", {}, "Result"), copy),
      element("div", { class: "json" }, jsonView(output)),
    );
  }

  /**
   * @param {unknown} input
   * @param {AbortSignal} signal
   */
  async follow(input, signal) {
    const view = new StreamView();
    this.showResult(view.element);
    try {
      for await (const item of this.gateway.subscribe(this.summary.name, input, signal)) {
        this.handles.note(this.summary.name, input, item);
        view.push(item);
      }
      this.say("Completed", "good");
    } finally {
      view.end();
    }
  }

  /** @param {unknown} error */
  fail(error) {
    this.say("Failed", "bad");
    const shown = errorView(error, { askToken: this.askToken });
    if (this.streams) this.result.prepend(shown);
    else this.showResult(shown);
    if (error instanceof GatewayError) this.input.showViolations(error.violations);
  }

  /** Gives up the call that runs; true when one ran. */
  stop() {
    if (this.running === undefined) return false;
    this.running.abort();
    return true;
  }

  /** @param {AbortController | undefined} running */
  setRunning(running) {
    this.running = running;
    this.element.setAttribute("aria-busy", String(running !== undefined));
    const focused = document.activeElement;
    this.callButton.disabled = running !== undefined;
    this.stopButton.hidden = running === undefined;
    this.keys.hidden = running !== undefined;
    // The focus stays with the one of them that can be pressed.
    if (running && focused === this.callButton) this.stopButton.focus();
    if (!running && focused === this.stopButton) this.callButton.focus();
  }

  /** @param {...Node} content */
  showResult(...content) {
    this.result.replaceChildren(...content);
    this.result.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {string} text
   * @param {"good" | "bad" | "busy" | "quiet"} mood
   */
  say(text, mood) {
    this.status.textContent = text;
    this.status.dataset["mood"] = mood;
  }
}

/**
 * @param {JsonObject} spec
 * @param {string} name
 * @returns {import("./json.js").Schema}
 */
function schemaMember(spec, name) {
  const schema = member(spec, name);
  return isSchema(schema) ? schema : true;
}

/** @param {readonly unknown[]} errors */
function errorList(errors) {
  if (errors.length === 0) return element("p", { class: "note" }, "Only those of the protocol.");
  return element(
    "ul",
    { class: "error-list" },
    ...errors.slice(0, 100).map((error) => {
      const status = numberMember(error, "http_status");
      return element(
        "li",
        {},
        element("span", { class: "error-code" }, longText(textMember(error, "code"), 80)),
        status !== undefined && element("span", { class: "note" }, ` HTTP ${status}`),
        element("p", { class: "note" }, longText(textMember(error, "description"), 300)),
      );
    }),
  );
}

/** @param {JsonObject} spec */
function specText(spec) {
  const text = JSON.stringify(spec, null, 2);
  return element(
    "div",
    {},
    copyButton("Copy", () => text),
    element("pre", {}, longText(text, 8000)),
  );
}

/** @param {number} milliseconds */
function duration(milliseconds) {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  return milliseconds < 10000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** @param {number} bytes */
function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
