import { element, longText } from "./dom.js";
import { GatewayError } from "./gateway.js";
import { isObject } from "./json.js";
import { count, jsonView } from "./json_view.js";

/**
 * What a call ended with instead of an output: code, message, where the input is wrong, details.
 * @param {unknown} error
 * @param {{askToken?: () => void}} [actions]  what the user can do about it
 */
export function errorView(error, { askToken } = {}) {
  if (!(error instanceof GatewayError)) return element("p", { class: "error-message" }, String(error));
  const { code, message, retryable, details, violations, status } = error;
  const list = violations
    .slice(0, 100)
    .map(({ pointer, message: what }) =>
      element("li", {}, element("code", {}, longText(pointer || "the input", 200)), " ", longText(what, 300)),
    );
  const others = isObject(details)
    ? Object.fromEntries(Object.entries(details).filter(([name]) => name !== "violations"))
    : details;
  const wantsToken = askToken !== undefined && (status === 401 || code === "FORBIDDEN");
  return element(
    "div",
    { class: "error" },
    element(
      "p",
      { class: "error-head" },
      element("span", { class: "error-code" }, longText(code, 80)),
      retryable && element("span", { class: "note" }, "may succeed when tried again"),
    ),
    element("p", { class: "error-message" }, longText(message)),
    list.length > 0 && element("p", { class: "note" }, `${count(violations.length, "problem")} with the input:`),
    list.length > 0 && element("ul", { class: "violations" }, ...list),
    wantsToken && element("button", { type: "button", onclick: askToken }, "Enter a token"),
    hasContent(others) &&
      element(
        "div",
        { class: "error-details" },
        element("p", { class: "note" }, "Details"),
        element("div", { class: "json" }, jsonView(others)),
      ),
  );
}

/** @param {unknown} value */
function hasContent(value) {
  return value !== undefined && value !== null && !(isObject(value) && Object.keys(value).length === 0);
}
