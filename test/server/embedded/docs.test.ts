import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('docs/guides/add-a-port-implementation.md', () => {
  const guide = read('docs/guides/add-a-port-implementation.md');
  const pieces = [...guide.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)];

  test('shows code', () => {
    expect(pieces).toHaveLength(2);
  });

  test.each(pieces.map(([, path = '', code = '']) => ({ path, code })))(
    'its piece of $path stands there',
    ({ path, code }) => {
      expect(read(path)).toContain(code.trimEnd());
    },
  );
});
