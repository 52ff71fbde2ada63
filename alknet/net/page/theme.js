import { element } from "./dom.js";

const kKey = "alknet-theme";
const kThemes = ["system", "light", "dark"];

/** A switch between the system's colours, light and dark; the browser remembers the choice. */
export function themeSwitch() {
  const button = element("button", {
    type: "button",
    class: "quiet",
    onclick: () => choose((now + 1) % kThemes.length),
  });
  let now = 0;
  const choose = (/** @type {number} */ index) => {
    now = index;
    const theme = kThemes[now] ?? "system";
    document.documentElement.dataset["theme"] = theme;
    button.textContent = { system: "◐ System", light: "☀ Light", dark: "☾ Dark" }[theme] ?? theme;
    button.setAttribute("aria-label", `Colours: ${theme}`);
    remember(theme);
  };
  choose(Math.max(0, kThemes.indexOf(remembered())));
  return button;
}

function remembered() {
  try {
    return localStorage.getItem(kKey) ?? "system";
  } catch {
    return "system"; // storage may be switched off
  }
}

/** @param {string} theme */
function remember(theme) {
  try {
    localStorage.setItem(kKey, theme);
  } catch {
    // Then the choice holds for this page.
  }
}
