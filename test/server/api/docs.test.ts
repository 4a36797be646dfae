import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { eventTypes } from '../../../server/events.ts';

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
  test('names every type of event', () => {
    const text = page('docs/api.md');
    expect(['readings', ...eventTypes].filter((type) => !text.includes(`\`${type}\``))).toEqual([]);
  });
});
