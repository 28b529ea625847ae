// Pixels: one dashboard, drawn by @grafana/ui from what Prometheus answers now.
// "?uid=vcmon-slo" reads asked.json and dashboards/UID.json beside this page. Kinds of panel that
// @grafana/ui has no component for say so in their place; nothing here imitates them.
import * as grafana from "@grafana/data";
import {
  BigValue, BigValueColorMode, BigValueGraphMode, BigValueJustifyMode, BigValueTextMode, GlobalStyles,
  PanelChrome, Table, TimeSeries,
} from "@grafana/ui";
import { Component } from "react";
import { createRoot } from "react-dom/client";

import { answers, asked } from "./frames.mjs";
import { ZONE, prepared, registered } from "./prepare.mjs";

const CELL = 30; // pixels: Grafana's own grid
const GAP = 8;
const COLUMNS = 24;
const EDGE = 16;

const theme = grafana.createTheme({ colors: { mode: "dark" } });
const registry = registered(grafana);

function box(panel, width) {
  const { x, y, w, h } = panel.gridPos;
  const column = (width - 2 * EDGE + GAP) / COLUMNS;
  return {
    left: EDGE + x * column,
    top: EDGE + y * (CELL + GAP),
    width: w * column - GAP,
    height: h * (CELL + GAP) - GAP,
  };
}

function Stat({ panel, frames, width, height }) {
  const field = frames.flatMap((frame) => frame.fields).find((each) => each.type === "number");
  const quiet = { text: panel.fieldConfig.defaults.noValue, numeric: Number.NaN };
  const value = field ? field.display(field.values[field.values.length - 1]) : quiet;
  const named = panel.options.textMode === "value_and_name";
  const title = field && named ? field.state.displayName : undefined;
  const painted = panel.options.colorMode === "background_solid";
  return (
    <BigValue
      value={{ ...value, title }}
      width={width}
      height={height}
      theme={theme}
      colorMode={painted ? BigValueColorMode.BackgroundSolid : BigValueColorMode.None}
      graphMode={BigValueGraphMode.None}
      justifyMode={BigValueJustifyMode.Center}
      textMode={named ? BigValueTextMode.ValueAndName : BigValueTextMode.Value}
    />
  );
}

function Curves({ panel, frames, width, height, when }) {
  const from = grafana.dateTime(when.start * 1000);
  const to = grafana.dateTime(when.end * 1000);
  return (
    <TimeSeries
      frames={frames}
      width={width}
      height={height}
      timeRange={{ from, to, raw: { from, to } }}
      timeZone={ZONE}
      legend={panel.options.legend}
      options={panel.options}
    />
  );
}

function Sheet({ panel, frames, width, height }) {
  const order = panel.options.sortBy ?? [];
  return (
    <Table data={frames[0]} width={width} height={height} initialSortBy={order} cellHeight="sm" />
  );
}

function Elsewhere({ panel }) {
  return <p style={{ color: theme.colors.text.secondary }}>{panel.type}: not in @grafana/ui</p>;
}

function Words({ panel }) {
  return <div dangerouslySetInnerHTML={{ __html: grafana.renderMarkdown(panel.options.content) }} />;
}

const KINDS = { stat: Stat, table: Sheet, text: Words, timeseries: Curves };

class Shelter extends Component {
  state = { wrong: null };

  static getDerivedStateFromError(error) {
    return { wrong: String(error) };
  }

  render() {
    const { wrong } = this.state;
    return wrong ? <p className="wrong">{wrong}</p> : this.props.children;
  }
}

function Placed({ panel, made, when, width }) {
  const place = { position: "absolute", ...box(panel, width) };
  if (panel.type === "row") return <h2 style={{ ...place, fontSize: 16 }}>{panel.title}</h2>;
  const Kind = KINDS[panel.type] ?? Elsewhere;
  const { frames } = made;
  const empty = !frames.length && panel.type === "timeseries";
  return (
    <div style={place} data-kind={panel.type}>
      <PanelChrome
        title={panel.title}
        description={panel.description}
        width={place.width}
        height={place.height}
      >
        {(innerWidth, innerHeight) => (
          <Shelter>
            {empty ? (
              <p>No data</p>
            ) : (
              <Kind panel={panel} frames={frames} when={when} width={innerWidth} height={innerHeight} />
            )}
          </Shelter>
        )}
      </PanelChrome>
    </div>
  );
}

async function read(path) {
  return (await fetch(path)).json();
}

async function show() {
  const uid = new URLSearchParams(window.location.search).get("uid");
  const { prometheus, seconds, variables } = await read("asked.json");
  const dashboard = await read(`dashboards/${uid}.json`);
  const when = asked(seconds, variables[uid]);
  const made = await Promise.all(
    dashboard.panels.map(async (panel) => {
      if (!KINDS[panel.type] || !panel.targets?.length) return { frames: [] };
      const { frames } = await answers(grafana, prometheus, panel, when);
      return { frames: await prepared(grafana, registry, panel, frames) };
    }),
  );
  const width = window.innerWidth;
  const bottom = Math.max(...dashboard.panels.map((each) => each.gridPos.y + each.gridPos.h));
  createRoot(document.getElementById("page")).render(
    <grafana.ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ position: "relative", height: 2 * EDGE + bottom * (CELL + GAP) }}>
        {dashboard.panels.map((panel, place) => (
          <Placed key={panel.id} panel={panel} made={made[place]} when={when} width={width} />
        ))}
      </div>
    </grafana.ThemeContext.Provider>,
  );
  document.body.dataset.shown = uid;
}

show().catch((error) => {
  document.body.dataset.wrong = String(error);
});
