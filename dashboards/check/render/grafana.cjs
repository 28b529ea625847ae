// What Grafana does between a query's answer and a panel, by its own code (@grafana/data), in Node.
const { JSDOM } = require("jsdom");

const page = new JSDOM("<!doctype html><html><body></body></html>", { url: "http://localhost/" });
for (const name of [
  "document", "HTMLElement", "Node", "DOMParser", "MutationObserver", "getComputedStyle",
  "localStorage", "Element", "Event", "CustomEvent",
]) globalThis[name] = page.window[name];
globalThis.window = page.window;
Object.defineProperty(globalThis, "navigator", { value: page.window.navigator, configurable: true });

module.exports = require("@grafana/data");
