import { element } from "./dom.js";
import { matching, namespaceOf } from "./operation_filter.js";

/** @typedef {import("./gateway.js").Summary} Summary */
/** @typedef {import("./gateway.js").OperationType} OperationType */

const kShown = 1000;

/** @type {Record<OperationType, string>} */
const kShortTypes = { query: "Q", mutation: "M", subscription: "S" };

/**
 * What an operation is, as a coloured word or its letter.
 * @param {OperationType} type
 * @param {boolean} [short]
 */
export function badge(type, short = false) {
  return element("span", { class: `badge ${type}`, title: type, "aria-label": type }, short ? kShortTypes[type] : type);
}

/** The operations with a search field above. One of them is current: arrows, j and k move there, Enter opens it. */
export class OperationList {
  /** @param {(name: string, byKeyboard: boolean) => void} open */
  constructor(open) {
    this.open = open;
    /** @type {readonly Summary[]} */
    this.operations = [];
    this.opened = "";
    this.search = element("input", {
      type: "search",
      id: "search",
      placeholder: "Search operations",
      "aria-label": "Search operations",
      "aria-controls": "operations",
      "aria-keyshortcuts": "/",
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.render(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.searchKey(event),
    });
    this.list = element("div", {
      role: "listbox",
      id: "operations",
      "aria-label": "Operations",
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.listKey(event),
    });
    this.status = element("p", { class: "note", role: "status" });
    this.element = element(
      "nav",
      { class: "sidebar", "aria-label": "Operations" },
      this.search,
      this.status,
      this.list,
    );
  }

  /** @param {readonly Summary[]} operations */
  setOperations(operations) {
    this.operations = operations;
    this.render();
  }

  /**
   * Marks the operation that is shown.
   * @param {string} name
   */
  setOpened(name) {
    this.opened = name;
    for (const option of this.options()) option.setAttribute("aria-selected", String(option.dataset["name"] === name));
    this.setCurrent(this.options().find((option) => option.dataset["name"] === name) ?? this.options()[0]);
  }

  /** @returns {HTMLElement[]} */
  options() {
    return [...this.list.querySelectorAll("[role=option]")].filter((option) => option instanceof HTMLElement);
  }

  render() {
    const found = matching(this.operations, this.search.value);
    const all = this.operations.length;
    const searched = this.search.value.trim() !== "";
    this.status.textContent = searched ? `${found.length} of ${all} operations` : `${all} operations`;
    if (found.length > kShown) this.status.textContent += `, the first ${kShown} shown`;
    const shown = found.slice(0, kShown);
    const sections = searched ? [["", shown]] : grouped(shown);
    this.list.replaceChildren(
      ...sections.map(([name, operations]) =>
        this.section(/** @type {string} */ (name), /** @type {Summary[]} */ (operations)),
      ),
    );
    if (found.length === 0)
      this.list.append(element("p", { class: "empty" }, all === 0 ? "No operations." : "Nothing found."));
    this.setOpened(this.opened);
    if (searched) this.setCurrent(this.options()[0]);
  }

  /**
   * @param {string} name  of the namespace; "" when the list is of search results
   * @param {readonly Summary[]} operations
   */
  section(name, operations) {
    const rows = operations.map((operation) => this.option(operation, name));
    if (name === "") return element("div", {}, ...rows);
    return element(
      "div",
      { role: "group", "aria-label": name },
      element("div", { class: "group", "aria-hidden": "true" }, name),
      ...rows,
    );
  }

  /**
   * @param {Summary} operation
   * @param {string} group  what of its name is said already
   */
  option({ name, type, title }, group) {
    const shown = group === "" ? name : name.slice(group.length + 1);
    return element(
      "div",
      {
        role: "option",
        "data-name": name,
        "aria-selected": "false",
        tabindex: -1,
        title: title || name,
        onclick: () => this.open(name, false),
      },
      element("bdi", { class: "option-name" }, shown),
      badge(type, true),
    );
  }

  /** @param {HTMLElement | undefined} option */
  setCurrent(option) {
    for (const other of this.list.querySelectorAll(".current")) {
      other.classList.remove("current");
      other.setAttribute("tabindex", "-1");
    }
    if (option === undefined) return;
    option.classList.add("current");
    option.tabIndex = 0;
  }

  /** The current option, which Tab leads to. */
  current() {
    return this.options().find((option) => option.classList.contains("current"));
  }

  /** @param {KeyboardEvent} event */
  searchKey(event) {
    const current = this.current();
    if (event.key === "ArrowDown" && current) this.focusOption(current, event);
    else if (event.key === "Enter" && current?.dataset["name"]) this.open(current.dataset["name"], true);
    else if (event.key === "Escape" && this.search.value !== "") {
      this.search.value = "";
      this.render();
      event.preventDefault();
    }
  }

  /** @param {KeyboardEvent} event */
  listKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const options = this.options();
    const at = options.findIndex((option) => option === document.activeElement);
    const steps = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: options.length - 1 };
    const to = Object.entries(steps).find(([key]) => key === event.key)?.[1];
    const name = options[at]?.dataset["name"];
    if (to === -1) this.search.focus();
    else if (to !== undefined && options[to]) this.focusOption(options[to], event);
    else if ((event.key === "Enter" || event.key === " ") && name) this.open(name, true);
    else return;
    event.preventDefault();
  }

  /**
   * @param {HTMLElement} option
   * @param {Event} event
   */
  focusOption(option, event) {
    this.setCurrent(option);
    option.focus();
    event.preventDefault();
  }
}

/**
 * @param {readonly Summary[]} operations
 * @returns {[string, Summary[]][]}
 */
function grouped(operations) {
  /** @type {Map<string, Summary[]>} */
  const groups = new Map();
  for (const operation of operations) {
    const name = namespaceOf(operation.name);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [operation]);
    else group.push(operation);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}
