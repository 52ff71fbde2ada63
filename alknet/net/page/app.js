import { dialogHead, element, quietButton } from "./dom.js";
import { errorView } from "./error_view.js";
import { Gateway } from "./gateway.js";
import { HandleTable } from "./handles.js";
import { OperationList } from "./operation_list.js";
import { OperationView } from "./operation_view.js";
import { SessionPanel } from "./session_panel.js";
import { themeSwitch } from "./theme.js";

/** @type {[string[], string][]} */
const kKeys = [
  [["/"], "search"],
  [["↑", "↓", "j", "k"], "move in the list"],
  [["Enter"], "open the operation"],
  [["Ctrl", "Enter"], "call it, or start it"],
  [["Esc"], "stop; then back to the list"],
  [["?"], "this help"],
];

/** The whole page. The address after `#/` names the operation that is open. */
class App {
  constructor() {
    this.gateway = new Gateway(new URL(".", document.baseURI).href);
    this.handles = new HandleTable();
    this.list = new OperationList((name, byKeyboard) => this.go(name, byKeyboard));
    this.session = new SessionPanel(this.gateway, this.handles, () => void this.refresh());
    this.help = helpDialog();
    this.detail = element("main", { id: "detail" });
    /** @type {OperationView | undefined} */
    this.view = undefined;
    this.name = "";
    this.byKeyboard = false;
  }

  start() {
    const bar = element(
      "header",
      { class: "bar" },
      element("a", { href: "#/", class: "brand" }, "alknet"),
      element("span", { class: "host" }, location.host),
      element("span", { class: "spacer" }),
      this.session.button,
      quietButton("Keys", () => this.help.showModal(), { class: "quiet wide-only" }),
      themeSwitch(),
    );
    document.body.replaceChildren(
      bar,
      this.list.element,
      this.detail,
      this.session.dialog,
      this.session.options,
      this.help,
    );
    addEventListener("hashchange", () => void this.show());
    addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.refresh();
    });
    void this.refresh();
    void this.show();
  }

  /** Asks for the list again: models and peers come and go. */
  async refresh() {
    try {
      this.list.setOperations(await this.gateway.search());
      if (this.name === "") this.welcome();
    } catch (error) {
      this.list.setOperations([]);
      if (this.name === "") this.detail.replaceChildren(this.problem(error));
    }
  }

  /**
   * @param {string} name
   * @param {boolean} byKeyboard
   */
  go(name, byKeyboard) {
    this.byKeyboard = byKeyboard;
    const address = `#/${name.split("/").map(encodeURIComponent).join("/")}`;
    if (location.hash === address) void this.show();
    else location.hash = address;
  }

  /** Shows the operation that the address names. */
  async show() {
    const name = nameIn(location.hash);
    const byKeyboard = this.byKeyboard;
    this.byKeyboard = false;
    if (name === this.name && this.view !== undefined) {
      if (byKeyboard) this.view.focus();
      return;
    }
    this.view?.stop();
    this.view = undefined;
    this.name = name;
    document.body.classList.toggle("has-operation", name !== "");
    document.title = name === "" ? "alknet" : `${name} · alknet`;
    this.list.setOpened(name);
    if (name === "") return this.welcome();
    try {
      const spec = await this.gateway.schema(name);
      if (name !== this.name) return; // the user went on meanwhile
      const askToken = () => this.session.askToken();
      this.view = new OperationView(spec, { gateway: this.gateway, handles: this.handles, askToken });
      this.detail.replaceChildren(this.back(), this.view.element);
      this.detail.scrollTop = 0;
      if (byKeyboard) this.view.focus();
    } catch (error) {
      if (name === this.name) this.detail.replaceChildren(this.back(), this.problem(error));
    }
  }

  back() {
    return quietButton("← Operations", () => (location.hash = "#/"), { class: "quiet back" });
  }

  /** @param {unknown} error */
  problem(error) {
    return element("div", { class: "card" }, errorView(error, { askToken: () => this.session.askToken() }));
  }

  welcome() {
    this.detail.replaceChildren(
      element(
        "div",
        { class: "welcome" },
        element("h2", {}, "Pick an operation"),
        element("p", {}, "Every operation of this node can be read about and called here."),
        keyTable(),
      ),
    );
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (document.querySelector("dialog[open]")) return;
    const { target } = event;
    const writing = target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void this.view?.call();
    else if (event.key === "Escape" && !event.defaultPrevented) this.escape();
    else if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "/") this.list.search.select();
    else if (event.key === "?") this.help.showModal();
    else if ((event.key === "j" || event.key === "k") && !event.defaultPrevented) this.list.current()?.focus();
    else return;
    event.preventDefault();
  }

  escape() {
    if (this.view?.stop()) return;
    (this.list.current() ?? this.list.search).focus();
  }
}

/** @param {string} hash */
function nameIn(hash) {
  try {
    return decodeURIComponent(hash.replace(/^#\/?/, ""));
  } catch {
    return "";
  }
}

function keyTable() {
  const rows = kKeys.map(([keys, meaning]) =>
    element(
      "div",
      {},
      element("dt", {}, ...keys.flatMap((key) => [element("kbd", {}, key), " "])),
      element("dd", {}, meaning),
    ),
  );
  return element("dl", { class: "key-table" }, ...rows);
}

function helpDialog() {
  return element(
    "dialog",
    { class: "panel", "aria-labelledby": "help-title" },
    dialogHead("help-title", "Keys"),
    keyTable(),
  );
}

new App().start();
