import { copyButton, element } from "./dom.js";
import { jsonView, sparkline } from "./json_view.js";
import { LiveItems } from "./live_items.js";
import { shortNumber } from "./series.js";

const kRows = 60;
const kChart = [520, 56]; // width and height

/** The items of a subscription as they come: count, rate, a line through their numbers, the newest first. */
export class StreamView {
  constructor() {
    this.items = new LiveItems(() => performance.now());
    this.running = true;
    this.waiting = false;
    this.drawn = 0;
    this.facts = element("p", { class: "stream-facts" });
    this.chart = element("div", { class: "stream-chart" });
    this.text = element("p", { class: "stream-text" });
    this.rows = element("ol", { class: "stream-rows", "aria-label": "items, the newest first" });
    const copy = copyButton("Copy as JSON Lines", () =>
      [...this.items.newest]
        .reverse()
        .map(({ item }) => JSON.stringify(item))
        .join("\n"),
    );
    this.element = element(
      "div",
      { class: "stream" },
      element("div", { class: "stream-head" }, this.facts, copy),
      this.chart,
      this.text,
      this.rows,
    );
    // The rate falls also while nothing comes.
    this.timer = setInterval(() => this.drawFacts(), 500);
    this.drawFacts();
  }

  /** @param {unknown} item */
  push(item) {
    this.items.push(item);
    if (this.waiting) return;
    // However fast items come, they are drawn once a frame.
    this.waiting = true;
    requestAnimationFrame(() => this.draw());
  }

  /** Nothing more comes. */
  end() {
    this.running = false;
    clearInterval(this.timer);
    this.draw();
  }

  draw() {
    this.waiting = false;
    const { newest, count, numbers, numberName, text } = this.items;
    const fresh = newest.slice(0, Math.min(count - this.drawn, kRows));
    this.drawn = count;
    this.rows.prepend(...fresh.map(rowOf));
    while (this.rows.childElementCount > kRows) this.rows.lastElementChild?.remove();
    if (numbers.length > 1) {
      const last = numbers[numbers.length - 1] ?? 0;
      const label = element("span", { class: "facts" }, `${numberName || "value"} ${shortNumber(last)}`);
      this.chart.replaceChildren(sparkline(numbers, kChart[0], kChart[1]), label);
    }
    this.text.textContent = text;
    this.drawFacts();
  }

  drawFacts() {
    const { count } = this.items;
    const rate = this.running ? this.items.rate() : this.items.meanRate();
    const items = `${count.toLocaleString("en")} item${count === 1 ? "" : "s"}`;
    const speed = `${rate.toFixed(rate < 10 ? 1 : 0)} a second${this.running ? "" : " on average"}`;
    this.facts.textContent = `${items} · ${speed}`;
  }
}

/** @param {import("./live_items.js").LiveItems["newest"][number]} row */
function rowOf({ index, at, item }) {
  const time = at < 10000 ? `${Math.round(at)} ms` : `${(at / 1000).toFixed(1)} s`;
  return element(
    "li",
    {},
    element("span", { class: "stream-index" }, `#${index}`),
    element("span", { class: "stream-time" }, time),
    isShort(item) ? element("code", {}, JSON.stringify(item)) : jsonView(item, 2),
  );
}

/** @param {unknown} item */
function isShort(item) {
  if (typeof item !== "object" || item === null) return String(item).length < 200;
  const values = Object.values(item);
  return values.length <= 6 && values.every((value) => typeof value !== "object" && String(value).length < 60);
}
