import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/root.ts';

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => posix.join('docs', name)),
];

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

describe.each(pages)('%s', (page) => {
  test('links to files that exist', () => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#|\/)([^)#\s]+)/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => !existsSync(join(root, posix.dirname(page), link)))).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  const text = read('docs/architecture.md');
  const named = [
    ...text.matchAll(/`((?:protocol|objects|server|client|web|scripts|test|bench|docs)\/[^`\s]*)`/g),
  ];

  test('names files and folders that exist', () => {
    const paths = named.map(([, path]) => path ?? '');
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('tells each of the four journeys with files of its own', () => {
    for (const journey of ['A registration', 'A reading', 'A carrier switch', 'A read from REST']) {
      const section = text.split(`## ${journey}`)[1]?.split('\n## ')[0] ?? '';
      expect(section.match(/`[a-z]+\/[^`]+\.ts`/g)?.length ?? 0, journey).toBeGreaterThan(5);
    }
  });
});
