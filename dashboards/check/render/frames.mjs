// A panel's queries asked of Prometheus, and the answers made into what Grafana's data source makes
// of them. "grafana" is the module @grafana/data, wherever it runs.

const VARIABLE = /\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g;
const POINTS = 300; // of a curve; a panel is hardly wider in pixels than three times that
const SHORTEST = 5; // seconds between two points: the scrape interval

export function interpolated(text, values) {
  return text.replace(VARIABLE, (all, braced, bare) => {
    const name = braced ?? bare;
    if (name in values) return values[name];
    throw new Error(`no value for ${all} in ${text}`);
  });
}

// What is asked: the last "seconds" until now, and what the variables are.
export function asked(seconds, variables) {
  const end = Date.now() / 1000;
  const step = Math.max(SHORTEST, Math.ceil(seconds / POINTS));
  const built = {
    __rate_interval: `${4 * step}s`,
    __interval: `${step}s`,
    __range: `${seconds}s`,
    __range_s: String(seconds),
  };
  return { end, start: end - seconds, step, values: { ...built, ...variables } };
}

async function query(prometheus, target, when) {
  const at = new URLSearchParams({ query: interpolated(target.expr, when.values) });
  if (target.range) {
    for (const name of ["start", "end", "step"]) at.set(name, when[name]);
  } else {
    at.set("time", when.end);
  }
  const path = target.range ? "query_range" : "query";
  const answer = await (await fetch(`${prometheus}/api/v1/${path}`, { method: "POST", body: at })).json();
  if (answer.status !== "success") throw new Error(`${answer.error}: ${target.expr}`);
  return answer.data.result;
}

function tableFrame(grafana, target, rows, alone) {
  const labels = [...new Set(rows.flatMap((row) => Object.keys(row.metric)))].sort();
  const time = { name: "Time", type: "time", values: rows.map((row) => row.value[0] * 1e3) };
  const texts = labels.map((label) => ({
    name: label,
    type: "string",
    values: rows.map((row) => row.metric[label]),
  }));
  const value = {
    name: alone ? "Value" : `Value #${target.refId}`,
    type: "number",
    values: rows.map((row) => Number(row.value[1])),
  };
  return grafana.toDataFrame({ refId: target.refId, fields: [time, ...texts, value] });
}

function seriesFrame(grafana, target, series, step) {
  const points = series.values ?? [series.value];
  const legend = (target.legendFormat ?? "").replace(
    /\{\{\s*(\w+)\s*\}\}/g,
    (_, label) => series.metric[label] ?? "",
  );
  const value = {
    name: "Value",
    type: "number",
    labels: series.metric,
    config: legend ? { displayNameFromDS: legend } : {},
    values: points.map((point) => Number(point[1])),
  };
  const time = {
    name: "Time",
    type: "time",
    config: { interval: step * 1e3 }, // where a point is missing, the line is broken
    values: points.map((point) => point[0] * 1e3),
  };
  return grafana.toDataFrame({ refId: target.refId, fields: [time, value] });
}

// The frames of a panel before its transformations, and how many rows the longest answer has.
export async function answers(grafana, prometheus, panel, when) {
  const frames = [];
  let longest = 0;
  for (const target of panel.targets) {
    const rows = await query(prometheus, target, when);
    longest = Math.max(longest, rows.length);
    if (target.format === "table") {
      frames.push(tableFrame(grafana, target, rows, panel.targets.length === 1));
    } else {
      frames.push(...rows.map((series) => seriesFrame(grafana, target, series, when.step)));
    }
  }
  return { frames, longest };
}
