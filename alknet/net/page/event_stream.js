/** @typedef {{type: string, data: string}} ServerEvent */

/**
 * Reads server-sent events (WHATWG HTML, section 9.2) from text that comes in pieces. `EventSource` cannot send
 * headers, so the page reads the stream itself.
 */
export class EventStreamParser {
  constructor() {
    this.rest = "";
    this.type = "";
    /** @type {string[]} */
    this.data = [];
  }

  /**
   * The events that `text` completes.
   * @param {string} text
   * @returns {ServerEvent[]}
   */
  push(text) {
    /** @type {ServerEvent[]} */
    const events = [];
    this.rest += text;
    // A carriage return at the end may be the first half of a line end.
    const whole = this.rest.endsWith("\r") ? this.rest.slice(0, -1) : this.rest;
    const lines = whole.split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? "") + this.rest.slice(whole.length);
    for (const line of lines) {
      if (line !== "") {
        this.takeLine(line);
        continue;
      }
      if (this.data.length > 0) events.push({ type: this.type || "message", data: this.data.join("\n") });
      this.type = "";
      this.data = [];
    }
    return events;
  }

  /** @param {string} line */
  takeLine(line) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.type = value;
    if (field === "data") this.data.push(value);
  }
}
