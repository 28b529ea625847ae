// Data: does Grafana's own code make of the answers what a panel claims to show?
// "node data.mjs FOLDER PROMETHEUS SECONDS VARIABLES" asks the last SECONDS of every FOLDER/*.json,
// with VARIABLES (JSON, by uid), says what each panel shows, and ends with 1 where something is wrong.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { answers, asked } from "./frames.mjs";
import { prepared, registered } from "./prepare.mjs";

const grafana = createRequire(import.meta.url)("./grafana.cjs");
const registry = registered(grafana);
const UNITS = new Set(
  grafana.getValueFormats().flatMap((group) => group.submenu.map((format) => format.value)),
);

const [folder, prometheus, seconds, variables] = process.argv.slice(2);
const values = JSON.parse(variables);

function* units(panel) {
  yield panel.fieldConfig.defaults.unit;
  for (const override of panel.fieldConfig.overrides) {
    for (const { id, value } of override.properties) if (id === "unit") yield value;
  }
}

function* badTable(panel, frames, longest) {
  if (frames.length !== 1) yield `${frames.length} frames instead of one table`;
  const named = panel.transformations.at(-1).options;
  const order = Object.entries(named.indexByName).sort((one, other) => one[1] - other[1]);
  const there = new Set(frames[0].fields.map((field) => field.name));
  const titles = order.filter(([field]) => there.has(field)).map(([field]) => named.renameByName[field]);
  const shown = frames[0].fields.map((field) => grafana.getFieldDisplayName(field, frames[0]));
  if (shown.join() !== titles.join()) yield `columns ${shown} instead of ${titles}`;
  if (frames[0].length !== longest) yield `${frames[0].length} rows of ${longest}`;
}

function* badValues(frames) {
  for (const frame of frames) {
    for (const field of frame.fields) {
      if (field.type !== "number") continue;
      const words = Object.values(field.config.mappings?.[0]?.options ?? {}).map((word) => word.text);
      for (const value of field.values) {
        if (value === null || value === undefined || Number.isNaN(value)) continue;
        const text = grafana.formattedValueToString(field.display(value));
        if (/NaN|undefined|Invalid/.test(text)) yield `${field.name} ${value} reads ${text}`;
        if (words.length && !words.includes(text)) yield `${field.name} ${value} has no word`;
      }
    }
  }
}

function* badPlaces(frames) {
  for (const name of ["latitude", "longitude"]) {
    const field = frames[0].fields.find((each) => each.name === name);
    if (field?.type !== "number") yield `${name} is ${field?.type}: the map would be empty`;
  }
}

function example(frames) {
  const fields = frames.flatMap((frame) => frame.fields.filter((field) => field.type === "number"));
  const field = fields.find((each) => each.values.length);
  if (!field) return "";
  const last = field.values[field.values.length - 1];
  const name = grafana.getFieldDisplayName(field, frames[0], frames);
  return `${name}: ${grafana.formattedValueToString(field.display(last))}`;
}

async function check(panel, when) {
  const wrong = [...units(panel)].filter((unit) => !UNITS.has(unit)).map((unit) => `unit ${unit}`);
  const { frames, longest } = await answers(grafana, prometheus, panel, when);
  const made = await prepared(grafana, registry, panel, frames);
  if (!longest) return { wrong, text: "nothing (the data has none)" };
  if (panel.type === "table") wrong.push(...badTable(panel, made, longest));
  if (panel.type === "geomap") wrong.push(...badPlaces(made));
  wrong.push(...new Set(badValues(made)));
  return { wrong, text: `${longest} rows or series, ${example(made)}` };
}

let panels = 0;
let empty = 0;
let mistakes = 0;
for (const name of readdirSync(folder).filter((each) => each.endsWith(".json"))) {
  const dashboard = JSON.parse(readFileSync(join(folder, name), "utf8"));
  for (const panel of dashboard.panels.filter((each) => !["row", "text"].includes(each.type))) {
    const { wrong, text } = await check(panel, asked(Number(seconds), values[dashboard.uid]));
    panels += 1;
    empty += text.startsWith("nothing") ? 1 : 0;
    mistakes += wrong.length;
    console.log(`${dashboard.uid} ${panel.id} ${panel.type} "${panel.title}": ${text}`);
    for (const each of wrong.slice(0, 5)) console.log(`  WRONG ${each}`);
  }
}
const { version } = createRequire(import.meta.url)("@grafana/data/package.json");
console.log(`@grafana/data ${version}: ${panels} panels, ${empty} without data, ${mistakes} mistakes`);
process.exit(mistakes ? 1 : 0);
