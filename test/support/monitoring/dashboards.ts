import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../scripts/root.ts';

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

/** As much of Grafana's dashboards as the tests look at. */
export interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] };
}

const folder = join(root, 'monitoring/grafana/dashboards');

export function dashboards(): Dashboard[] {
  return readdirSync(folder)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Dashboard);
}

/** Every expression of a dashboard, with the panel that draws it. */
export function expressionsOf({
  panels,
}: Dashboard): { readonly title: string; readonly expression: string }[] {
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expression: expr })),
  );
}
