import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/root.ts';
import { eventTypes } from '../../../server/events.ts';
import { parseRoute } from '../../../web/data/routes.ts';
import { ApiHarness } from '../../support/api/api-harness.ts';
import { ServerWorld } from '../../support/server-world.ts';

const guide = readFileSync(join(root, 'docs/guides/from-leshan.md'), 'utf8');
const cells = guide
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').slice(1, -1));

/** What stands in backticks in a column of the tables with four. */
function column(index: number): string[] {
  const rows = cells.filter((row) => row.length === 4);
  return rows.flatMap((row) => [...(row[index] ?? '').matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? ''));
}

describe('the guide for those who know the demo', () => {
  const addresses = column(1).filter((code) => code.startsWith('/'));
  test.each([...new Set(addresses)])('names a view of the console that there is: %s', (address) => {
    const [path = '', search = ''] = address.replace('{ep}', 'modem-1').split('?');
    expect(parseRoute(path, search).name).not.toBe('not-found');
  });

  describe('names routes of the API that there are', () => {
    let api: ApiHarness;
    beforeAll(async () => {
      api = await ApiHarness.open();
    });
    afterAll(() => api.close());

    const routes = column(2).filter((code) => /^[A-Z]+ \//.test(code));
    test.each([...new Set(routes)])('%s', async (route) => {
      const [method = '', path = ''] = route.split(' ');
      const { body } = await api.call('GET', '/openapi.json');
      const shape = (text: string): string => text.replace(/\{[^}]*\}/g, '{}');
      const known = Object.entries<object>(body.paths).filter(([known]) => shape(known) === shape(path));
      expect(known.flatMap(([, methods]) => Object.keys(methods))).toContain(method.toLowerCase());
    });
  });

  describe('names routes of the compatible interface that are served', () => {
    let world: ServerWorld;
    beforeAll(async () => {
      world = await ServerWorld.open(undefined, undefined, ['--leshan-api', 'true', '--leshan-port', '0']);
    });
    afterAll(() => world.close());

    const routes = column(3).filter((code) => /^[A-Z]+ \//.test(code));
    test.each([...new Set(routes)])('%s', async (route) => {
      const [method = '', path = ''] = route.split(' ');
      const filled = path
        .replace('{ep}', 'ep')
        .replace('{path}', '3/0')
        .replace(/\{[oir]\}/g, '3');
      const controller = new AbortController();
      const answer = await world.wait(
        fetch(`${world.server.leshanAddress}${filled}`, { method, signal: controller.signal }),
      );
      const isStream = answer.headers.get('content-type')?.includes('event-stream') === true;
      expect(isStream ? '' : await answer.text()).not.toBe('Not Found');
      controller.abort();
      // Of a device that is not there it is said that it is not; whatever the route is not for is another refusal.
      const expected = /security|bootstrap/.test(path) ? 501 : path.includes('{ep}') ? 400 : 200;
      expect(answer.status).toBe(expected);
    });
  });

  test('names events of the API that there are', () => {
    const rows = cells.filter((row) => row.length === 2 && /`[A-Z_]+`/.test(row[0] ?? ''));
    const named = rows.flatMap((row) =>
      [...(row[1] ?? '').matchAll(/`([a-z-]+)`/g)].map(([, type]) => type ?? ''),
    );
    const known: readonly string[] = [...eventTypes, 'readings', 'trace', 'presence'];
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((type) => !known.includes(type))).toEqual([]);
  });
});
