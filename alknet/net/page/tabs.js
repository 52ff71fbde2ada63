import { element, freshId } from "./dom.js";

/** @typedef {{name: string, build: () => Node}} Tab */

/**
 * Panels of which one is shown; each is built when it is first chosen. Arrow keys move between the tabs.
 * @param {string} label  what the tabs are about, for screen readers
 * @param {readonly Tab[]} tabs
 */
export function tabList(label, tabs) {
  const panel = element("div", { role: "tabpanel", id: freshId() });
  /** @type {Map<number, Node>} */
  const built = new Map();
  const buttons = tabs.map(({ name }, index) =>
    element(
      "button",
      {
        type: "button",
        role: "tab",
        id: freshId(),
        "aria-controls": panel.id,
        onclick: () => choose(index),
        onkeydown: move,
      },
      name,
    ),
  );
  /** @param {number} index */
  function choose(index) {
    const tab = tabs[index];
    if (tab === undefined) return;
    const content = built.get(index) ?? tab.build();
    built.set(index, content);
    buttons.forEach((button, other) => {
      button.setAttribute("aria-selected", String(other === index));
      button.tabIndex = other === index ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", buttons[index]?.id ?? "");
    panel.replaceChildren(content);
  }
  /** @param {KeyboardEvent} event */
  function move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const at = buttons.findIndex((button) => button === event.target);
    const next = (at + step + buttons.length) % buttons.length;
    choose(next);
    buttons[next]?.focus();
    event.preventDefault();
  }
  choose(0);
  return element("div", { class: "tabs" }, element("div", { role: "tablist", "aria-label": label }, ...buttons), panel);
}
