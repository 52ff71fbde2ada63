// performance: the clock, marks and measures (High Resolution Time, User Timing).
import { host, load } from "alknet:web";

const { dictionary, expose, isObject, requireArguments } = load("webidl");
const { EventTarget } = load("events");
const { structuredClone } = load("structured_clone");

const kPrivate = Symbol("made by performance");

export class PerformanceEntry {
  #fields;
  constructor(key, fields) {
    if (key !== kPrivate) throw new TypeError("Illegal constructor");
    this.#fields = fields;
  }
  get name() {
    return this.#fields.name;
  }
  get entryType() {
    return this.#fields.entryType;
  }
  get startTime() {
    return this.#fields.startTime;
  }
  get duration() {
    return this.#fields.duration;
  }
  toJSON() {
    return { ...this.#fields };
  }
}
expose(PerformanceEntry, { show: ["name", "entryType", "startTime", "duration"] });

const copy = (detail) => (detail === undefined || detail === null ? null : structuredClone(detail));

export class PerformanceMark extends PerformanceEntry {
  #detail;
  constructor(name, options = undefined) {
    requireArguments(arguments.length, 1, "PerformanceMark constructor");
    const { startTime, detail } = dictionary(options, "mark options");
    const time = startTime === undefined ? host.now() : Number(startTime);
    if (!(time >= 0)) throw new TypeError(`mark: the start time ${time} is negative`);
    super(kPrivate, { name: `${name}`, entryType: "mark", startTime: time, duration: 0 });
    this.#detail = copy(detail);
  }
  get detail() {
    return this.#detail;
  }
  toJSON() {
    return { ...super.toJSON(), detail: this.#detail };
  }
}
expose(PerformanceMark, { show: ["name", "entryType", "startTime", "duration", "detail"] });

export class PerformanceMeasure extends PerformanceEntry {
  #detail;
  constructor(key, fields, detail) {
    super(key, fields);
    this.#detail = copy(detail);
  }
  get detail() {
    return this.#detail;
  }
  toJSON() {
    return { ...super.toJSON(), detail: this.#detail };
  }
}
expose(PerformanceMeasure, { show: ["name", "entryType", "startTime", "duration", "detail"] });

let entries = []; // by start time

function add(entry) {
  let at = entries.length;
  while (at > 0 && entries[at - 1].startTime > entry.startTime) at--;
  entries.splice(at, 0, entry);
  return entry;
}

function timeOf(mark) {
  if (typeof mark === "number") {
    if (mark < 0) throw new TypeError(`measure: the time ${mark} is negative`);
    return mark;
  }
  const name = `${mark}`;
  const found = entries.findLast((entry) => entry.entryType === "mark" && entry.name === name);
  if (!found) throw new DOMException(`The "${name}" performance mark has not been set`, "SyntaxError");
  return found.startTime;
}

/** Start and end of a measure from any two of start, end and duration. */
function spanOf(startOrOptions, endMark) {
  if (!isObject(startOrOptions)) {
    const start = startOrOptions === undefined ? 0 : timeOf(startOrOptions);
    return { start, end: endMark === undefined ? host.now() : timeOf(endMark) };
  }
  const { start, end, duration, detail } = startOrOptions;
  if (endMark !== undefined) throw new TypeError("measure: an end mark beside options");
  if (start === undefined && end === undefined)
    throw new TypeError("measure: one of options.start and options.end is needed");
  if (start !== undefined && end !== undefined && duration !== undefined) {
    throw new TypeError("measure: start, end and duration cannot be given together");
  }
  const first = start !== undefined ? timeOf(start) : duration !== undefined ? timeOf(end) - Number(duration) : 0;
  const last = end !== undefined ? timeOf(end) : duration !== undefined ? first + Number(duration) : host.now();
  return { start: first, end: last, detail };
}

const clear = (type, name) => {
  entries = entries.filter((entry) => entry.entryType !== type || (name !== undefined && entry.name !== `${name}`));
};

export class Performance extends EventTarget {
  constructor(key) {
    if (key !== kPrivate) throw new TypeError("Illegal constructor");
    super();
  }
  now() {
    return host.now();
  }
  get timeOrigin() {
    return host.timeOrigin;
  }
  mark(name, options = undefined) {
    requireArguments(arguments.length, 1, "performance.mark");
    return add(new PerformanceMark(name, options));
  }
  measure(name, startOrOptions = undefined, endMark = undefined) {
    requireArguments(arguments.length, 1, "performance.measure");
    const { start, end, detail } = spanOf(startOrOptions, endMark);
    const fields = { name: `${name}`, entryType: "measure", startTime: start, duration: end - start };
    return add(new PerformanceMeasure(kPrivate, fields, detail));
  }
  clearMarks(name = undefined) {
    clear("mark", name);
  }
  clearMeasures(name = undefined) {
    clear("measure", name);
  }
  getEntries() {
    return [...entries];
  }
  getEntriesByName(name, type = undefined) {
    requireArguments(arguments.length, 1, "performance.getEntriesByName");
    return entries.filter((entry) => entry.name === `${name}` && (type === undefined || entry.entryType === `${type}`));
  }
  getEntriesByType(type) {
    requireArguments(arguments.length, 1, "performance.getEntriesByType");
    return entries.filter((entry) => entry.entryType === `${type}`);
  }
  toJSON() {
    return { timeOrigin: this.timeOrigin };
  }
}
expose(Performance, { show: ["timeOrigin"] });

export const performance = new Performance(kPrivate);
