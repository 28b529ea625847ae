// Types: are the dashboards what Grafana's own @grafana/schema says a dashboard is?
// "node check.mjs FOLDER" type-checks every FOLDER/*.json against each schema-* package beside this
// file, and ends with 1 where one of them disagrees.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
const TOLD_MAX = 20; // complaints; one mistake of the generator makes hundreds
const WIDTH_MAX = 300; // characters of one; tsc writes whole types

// The panel's type in JSON, and what its module and namespace are called in the package.
const PANELS = {
  geomap: "Geomap",
  heatmap: "Heatmap",
  stat: "Stat",
  "state-timeline": "StateTimeline",
  table: "Table",
  text: "Text",
  timeseries: "TimeSeries",
};
const WITH_FIELDS = new Set(["Heatmap", "StateTimeline", "TimeSeries"]);

// Enumerations are strings in JSON: the types are loosened by just that.
const LOOSE = `type Loose<T> = T extends boolean | null | undefined ? T
  : T extends string ? \`\${T}\` : T extends number ? T
  : T extends Array<infer U> ? Loose<U>[]
  : T extends object ? { [K in keyof T]: Loose<T[K]> } : T;\n`;

function source(schema, name, dashboard) {
  const file = (panel) =>
    `${schema}/dist/esm/raw/composable/${panel.toLowerCase()}/panelcfg/x/${panel}PanelCfg_types.gen`;
  const lines = [LOOSE, `import type { Dashboard } from "${schema}";`];
  const panels = dashboard.panels.filter((panel) => panel.type !== "row");
  for (const type of new Set(panels.map((panel) => panel.type))) {
    if (!PANELS[type]) throw new Error(`${name}: no type is known for panels of kind ${type}`);
    lines.push(`import type * as ${PANELS[type]} from "../../node_modules/${file(PANELS[type])}";`);
  }
  // An annotation's query is the data source's own, not the schema's.
  const core = structuredClone(dashboard);
  for (const mark of core.annotations.list) {
    for (const key of ["expr", "step", "titleFormat", "textFormat", "tagKeys"]) delete mark[key];
  }
  lines.push(`export const dashboard: Loose<Dashboard> = ${JSON.stringify(core)};`);
  for (const panel of panels) {
    const kind = PANELS[panel.type];
    const custom = panel.fieldConfig?.defaults?.custom;
    const options = JSON.stringify(panel.options);
    lines.push(`export const o${panel.id}: Loose<Partial<${kind}.Options>> = ${options};`);
    if (custom && WITH_FIELDS.has(kind)) {
      const fields = JSON.stringify(custom);
      lines.push(`export const f${panel.id}: Loose<Partial<${kind}.FieldConfig>> = ${fields};`);
    }
  }
  return [lines.join("\n") + "\n", panels.length];
}

function complaints(directory) {
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"];
  const modules = ["--module", "nodenext", "--moduleResolution", "bundler", "--module", "esnext"];
  const files = readdirSync(directory).map((name) => join(directory, name));
  const tsc = join(here, "node_modules", "typescript", "bin", "tsc");
  try {
    execFileSync(process.execPath, [tsc, ...options, ...modules, ...files], { stdio: "pipe" });
    return [];
  } catch (error) {
    const said = `${error.stdout}${error.stderr}`.split("\n");
    return said.filter((line) => /error|TS\d+/.test(line));
  }
}

let wrong = 0;
const schemas = readdirSync(join(here, "node_modules")).filter((name) => name.startsWith("schema-"));
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
rmSync(join(here, "made"), { recursive: true, force: true });
for (const schema of schemas) {
  const directory = join(here, "made", schema);
  mkdirSync(directory, { recursive: true });
  let count = 0;
  for (const name of names) {
    const dashboard = JSON.parse(readFileSync(join(folder, name), "utf8"));
    const [text, panels] = source(schema, name, dashboard);
    writeFileSync(join(directory, `${name.slice(0, -5)}.ts`), text);
    count += panels;
  }
  const told = complaints(directory);
  wrong += told.length;
  const version = JSON.parse(
    readFileSync(join(here, "node_modules", schema, "package.json"), "utf8"),
  ).version;
  console.log(
    `@grafana/schema ${version}: ${names.length} dashboards, ${count} panels, ` +
      `${told.length} errors`,
  );
  for (const line of told.slice(0, TOLD_MAX)) console.log(`  ${line.slice(0, WIDTH_MAX)}`);
}
process.exit(wrong || !schemas.length ? 1 : 0);
