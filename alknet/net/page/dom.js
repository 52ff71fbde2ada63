/** @typedef {Node | string | null | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | undefined | ((event: any) => void)>} Attributes */

/**
 * Makes an element. Strings become text, never markup: nothing that an operation says about itself is interpreted.
 * Functions are listeners (`onclick`), `true` is an empty attribute, `false` and undefined none.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...children.filter(isNode));
  return made;
}

/**
 * Makes an SVG element.
 * @param {string} tag
 * @param {Attributes} attributes
 * @param {...Child} children
 */
export function svgElement(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(made, attributes);
  made.append(...children.filter(isNode));
  return made;
}

/**
 * @param {Child} child
 * @returns {child is Node | string}
 */
function isNode(child) {
  return child !== null && child !== undefined && child !== false;
}

/**
 * @param {Element} target
 * @param {Attributes} attributes
 */
function setAttributes(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") target.addEventListener(name.slice(2), value);
    else if (value === true) target.setAttribute(name, "");
    else if (value !== false && value !== undefined) target.setAttribute(name, String(value));
  }
}

let ids = 0;

/** An id that no other element has, for labels and descriptions. */
export function freshId() {
  return `e${++ids}`;
}

/**
 * A button that only looks like a word.
 * @param {string} text
 * @param {(event: Event) => void} onclick
 * @param {Attributes} [attributes]
 */
export function quietButton(text, onclick, attributes = {}) {
  return element("button", { type: "button", class: "quiet", onclick, ...attributes }, text);
}

/**
 * A button that puts a text on the clipboard and says so for a moment.
 * @param {string} label
 * @param {() => string} text
 * @param {Attributes} [attributes]
 */
export function copyButton(label, text, attributes = {}) {
  const button = quietButton(label, () => void copy(), attributes);
  const copy = async () => {
    const done = await putOnClipboard(text());
    button.textContent = done ? "Copied" : "Select and copy by hand";
    setTimeout(() => (button.textContent = label), 1500);
  };
  return button;
}

/**
 * @param {string} text
 * @returns {Promise<boolean>}
 */
async function putOnClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages that came over plain HTTP from another machine have no clipboard interface.
    const area = element("textarea", { class: "offscreen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

const kShownText = 1200;

/**
 * Text of any length: the end of a long one is shown when asked for.
 * @param {string} text
 * @param {number} [limit]
 */
export function longText(text, limit = kShownText) {
  if (text.length <= limit) return element("span", {}, text);
  const shown = element("span", {}, `${text.slice(0, limit)}…`);
  const more = quietButton(`all ${text.length.toLocaleString("en")} characters`, () => {
    shown.textContent = text;
    more.remove();
  });
  return element("span", {}, shown, " ", more);
}

/**
 * The title of a dialog, with the button that closes it.
 * @param {string} id  of the title
 * @param {string} title
 */
export function dialogHead(id, title) {
  const close = element("button", { type: "button", onclick: () => close.closest("dialog")?.close() }, "Close");
  return element("div", { class: "card-head" }, element("h2", { id }, title), close);
}
