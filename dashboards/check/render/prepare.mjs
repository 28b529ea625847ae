// Frames through a panel's transformations, units, mappings and colours, by Grafana's own code.
import { firstValueFrom } from "rxjs";

const OPTIONS = [
  "unit", "mappings", "thresholds", "decimals", "min", "max", "noValue", "color", "displayName", "links",
];

const CUSTOM = [
  "axisSoftMax", "axisSoftMin", "cellOptions", "drawStyle", "fillOpacity", "lineInterpolation", "lineWidth",
  "showPoints", "spanNulls", "stacking", "thresholdsStyle", "width",
];

export const ZONE = "Asia/Jakarta";

export function registered(grafana) {
  const known = Object.values(grafana.standardTransformers);
  const once = [...new Map(known.map((each) => [each.id, each])).values()];
  grafana.standardTransformersRegistry.setInit(() =>
    once.map((each) => ({
      id: each.id,
      name: each.name,
      transformation: () => Promise.resolve(each),
      editor: () => null,
      aliasIds: each.aliasIds,
    })),
  );
  grafana.standardFieldConfigEditorRegistry.setInit(() => []);
  const registry = new grafana.FieldConfigOptionsRegistry();
  const plain = { process: (value) => value, shouldApply: () => true };
  const register = (id, path, isCustom) =>
    registry.register({ ...plain, id, path, name: id, isCustom, editor: () => null });
  for (const id of OPTIONS) register(id, id, false);
  for (const id of CUSTOM) register(`custom.${id}`, id, true);
  return registry;
}

export async function prepared(grafana, registry, panel, frames) {
  const same = (text) => text;
  const transformed = await firstValueFrom(
    grafana.transformDataFrame(panel.transformations ?? [], frames, { interpolate: same }),
  );
  const made = grafana.applyFieldOverrides({
    data: transformed,
    fieldConfig: panel.fieldConfig ?? { defaults: {}, overrides: [] },
    replaceVariables: same,
    theme: grafana.createTheme(),
    timeZone: ZONE,
    fieldConfigRegistry: registry,
  });
  // Colours go by a field's name, which has to be known before the first is asked for.
  for (const frame of made) {
    for (const field of frame.fields) {
      field.state = { ...field.state, displayName: grafana.getFieldDisplayName(field, frame, made) };
    }
  }
  return made;
}
