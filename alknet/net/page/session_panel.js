import { copyButton, dialogHead, element, quietButton } from "./dom.js";
import { kHandleListId } from "./form_controls.js";
import { tensorText } from "./json_view.js";

const kListed = 200;
const kTokenNote = "Sent with every request. It is kept in this page's memory only: a reload forgets it.";
const kPlainNote = "This page came unencrypted from another machine: there the gateway refuses tokens.";

/** The user's session: his token, and the tensors that his calls made. */
export class SessionPanel {
  /**
   * @param {import("./gateway.js").Gateway} gateway
   * @param {import("./handles.js").HandleTable} handles
   * @param {() => void} changed  another token may see other operations
   */
  constructor(gateway, handles, changed) {
    this.gateway = gateway;
    this.handles = handles;
    this.changed = changed;
    this.token = element("input", {
      type: "password",
      id: "token",
      autocomplete: "off",
      placeholder: "none",
      "aria-describedby": "token-note",
      onchange: () => this.useToken(),
    });
    this.problem = element("p", { class: "field-error", role: "alert" });
    this.list = element("ul", { class: "handles" });
    this.options = element("datalist", { id: kHandleListId });
    this.count = element("span", { class: "count" });
    this.dialog = element(
      "dialog",
      { class: "panel", "aria-labelledby": "session-title" },
      dialogHead("session-title", "Session"),
      element(
        "form",
        { onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), this.useToken(), this.dialog.close()) },
        element("label", { for: "token" }, "Bearer token"),
        this.token,
      ),
      element("p", { class: "note", id: "token-note" }, isSecureContext ? kTokenNote : `${kTokenNote} ${kPlainNote}`),
      element("h3", {}, "Tensors made in this session"),
      this.list,
      this.problem,
      element(
        "p",
        { class: "note" },
        "They live on the node until they are disposed of, or the session has been idle for ten minutes.",
      ),
      quietButton("Start a new session", () => {
        gateway.startSession();
        handles.clear();
      }),
    );
    this.button = element(
      "button",
      { type: "button", class: "quiet", onclick: () => this.dialog.showModal() },
      "Session",
      this.count,
    );
    handles.addEventListener("change", () => this.render());
    this.render();
  }

  /** Sends the token that stands in its field from now on. */
  useToken() {
    const token = this.token.value.trim();
    if (token === this.gateway.token) return;
    this.gateway.token = token;
    this.handles.clear();
    this.changed();
  }

  /** Opens the panel at the field for the token. */
  askToken() {
    this.dialog.showModal();
    this.token.focus();
  }

  render() {
    const handles = this.handles.list();
    this.count.textContent = handles.length > 0 ? String(handles.length) : "";
    const shown = handles.slice(0, kListed);
    this.options.replaceChildren(
      ...shown.map(({ id, value, operation }) =>
        element("option", { value: id, label: `${tensorText(value)} · ${operation}` }),
      ),
    );
    this.list.replaceChildren(
      ...shown.map(({ id, value, operation }) =>
        element(
          "li",
          {},
          element("b", {}, id),
          element("span", {}, tensorText(value)),
          element("span", { class: "note" }, operation),
          copyButton("copy", () => JSON.stringify(value)),
          quietButton("dispose", () => void this.dispose(value)),
        ),
      ),
    );
    if (handles.length === 0) this.list.append(element("li", { class: "note" }, "None yet."));
  }

  /** @param {unknown} handle */
  async dispose(handle) {
    const input = { handles: [handle] };
    try {
      this.problem.textContent = "";
      const { output } = await this.gateway.call("compute/dispose", input);
      this.handles.note("compute/dispose", input, output);
    } catch (error) {
      this.problem.textContent = error instanceof Error ? error.message : String(error);
    }
  }
}
