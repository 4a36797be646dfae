import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/root.ts';
import { dashboards, expressionsOf, type Panel } from '../support/monitoring/dashboards.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/metrics.md');
const documented = new Set([...page.matchAll(/^\| `(simyard_\w+)`/gm)].map(([, name]) => name));
const rules = parse(read('monitoring/prometheus/alerts.yml')).groups[0].rules as {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}[];

/** Metrics of ours that an expression names, without the suffixes of a histogram's parts. */
function metricsIn(expression: string): string[] {
  return [...expression.matchAll(/\bsimyard_\w+/g)]
    .map(([name]) => name)
    .map((name) => (documented.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')));
}

describe.each(dashboards())('the dashboard $title', (dashboard) => {
  const panels = dashboard.panels;

  test('has panels of different ids and titles, side by side on the grid', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [index, { gridPos: a, title }] of panels.entries()) {
      expect(a.x + a.w, title).toBeLessThanOrEqual(24);
      const overlapping = panels.slice(index + 1).filter(({ gridPos: b }) => overlap(a, b));
      expect(
        overlapping.map((panel) => panel.title),
        title,
      ).toEqual([]);
    }
  });

  test('draws each panel from the data source and the servers that are chosen, with a unit', () => {
    const names = dashboard.templating.list.map(({ name }) => name);
    expect(names).toEqual(['datasource', 'instance']);
    for (const panel of panels.filter(({ type }) => type !== 'row')) {
      expect(panel.datasource?.uid, panel.title).toMatch(/^\$\{datasource\}$/);
      expect(panel.fieldConfig?.defaults.unit, panel.title).toMatch(/\w/);
      expect(panel.targets?.length, panel.title).toBeGreaterThan(0);
      for (const { expr, refId } of panel.targets ?? []) {
        expect(expr, panel.title).toContain('instance=~"$instance"');
        expect(refId).toMatch(/^[A-Z]$/);
      }
    }
  });

  test('names metrics that there are', () => {
    const unknown = expressionsOf(dashboard).flatMap(({ expression }) =>
      metricsIn(expression).filter((name) => !documented.has(name)),
    );
    expect(unknown).toEqual([]);
  });

  test('takes rates over the interval that Grafana finds fit', () => {
    for (const { expression } of expressionsOf(dashboard)) {
      expect(expression).not.toMatch(/\brate\([^)]*\[(?!\$__rate_interval)/);
    }
  });
});

describe('the alert rules', () => {
  test('are those that docs/metrics.md explains', () => {
    const explained = [...page.matchAll(/^\| `(Simyard\w+)` \|/gm)].map(([, name]) => name);
    expect(rules.map(({ alert }) => alert)).toEqual(explained);
  });

  test('have a severity, a summary and a unit test each, and name metrics that there are', () => {
    const tests = read('monitoring/prometheus/alerts.test.yml');
    for (const { alert, expr, labels, annotations } of rules) {
      expect(labels.severity, alert).toMatch(/^(critical|warning)$/);
      expect(annotations.summary, alert).toContain('$labels.instance');
      expect(tests, alert).toMatch(new RegExp(`alertname: ${alert}\n +exp_alerts:\n`));
      expect(
        metricsIn(expr).filter((name) => !documented.has(name)),
        alert,
      ).toEqual([]);
    }
  });
});

describe('docker-compose.yml', () => {
  const { services } = parse(read('docker-compose.yml'), { merge: true });

  test('starts Prometheus and Grafana only where monitoring is asked for, on loopback, in versions that stay', () => {
    for (const name of ['prometheus', 'grafana']) {
      expect(services[name].profiles).toEqual(['monitoring']);
      expect(services[name].image).toMatch(/:v?\d+\.\d+\.\d+$/);
      for (const port of services[name].ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });

  test('gives them what is in monitoring/', () => {
    const mounts = [...services.prometheus.volumes, ...services.grafana.volumes] as string[];
    const own = mounts.filter((mount) => mount.startsWith('./')).map((mount) => mount.split(':')[0] ?? '');
    expect(own.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const provider = parse(read('monitoring/grafana/provisioning/dashboards/simyard.yml')).providers[0];
    expect(mounts.map((mount) => mount.split(':')[1])).toContain(provider.options.path);
    const source = parse(read('monitoring/grafana/provisioning/datasources/prometheus.yml')).datasources[0];
    expect(new URL(source.url).hostname in services).toBe(true);
  });

  test('lets Prometheus ask for the metrics by the names that it has for the nodes', () => {
    const { scrape_configs } = parse(read('monitoring/prometheus/prometheus.yml'));
    const targets = scrape_configs[0].static_configs[0].targets as string[];
    for (const [host = ''] of targets.map((target) => target.split(':'))) {
      expect(Object.keys(services)).toContain(host);
      expect(services[host].environment.SIMYARD_ALLOWED_HOSTS.split(',')).toContain(host);
    }
  });
});

function overlap(a: Panel['gridPos'], b: Panel['gridPos']): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
