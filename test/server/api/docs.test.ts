import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { eventTypes } from '../../../server/events.ts';
import { ApiHarness } from '../../support/api/api-harness.ts';

const root = new URL('../../../', import.meta.url);
const page = (path: string) => readFileSync(new URL(path, root), 'utf8');

describe('docs/guides/add-a-route.md', () => {
  const pieces = [...page('docs/guides/add-a-route.md').matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)];

  test('quotes the sources', () => expect(pieces.length).toBeGreaterThan(4));

  test.each(pieces.map(([, path, code]) => [path as string, code as string]))(
    'what it quotes of %s stands there',
    (path, code) => expect(page(path)).toContain(code),
  );
});

describe('docs/api.md', () => {
  test('names every route', async () => {
    const api = await ApiHarness.open();
    const routes = Object.entries(api.app.swagger().paths ?? {}).flatMap(([path, operations]) =>
      Object.keys(operations ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
    );
    await api.close();
    expect(routes.length).toBeGreaterThan(20);
    const text = page('docs/api.md');
    // A route of a device may stand as `…/`, and the parts of an LwM2M path by their own names.
    const stands = (route: string) =>
      [route, route.replace('/api/devices/{endpoint}/', '…/')]
        .map((name) => `\`${name.replace('{path}', '')}`)
        .some((name) => ['?', '`', '{', ' '].some((next) => text.includes(name + next)));
    expect(routes.filter((route) => !stands(route))).toEqual([]);
  });

  test('names every type of event', () => {
    const text = page('docs/api.md');
    expect(['readings', ...eventTypes].filter((type) => !text.includes(`\`${type}\``))).toEqual([]);
  });
});
