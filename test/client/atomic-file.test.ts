import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AtomicFile, StateFileError } from '../../client/atomic-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a file that is written whole or not at all', () => {
  it('is made with its folder, replaced, and leaves nothing beside it', () => {
    const path = join(folder, 'a', 'b', 'state.json');
    const file = new AtomicFile(path);
    expect(file.read()).toBeUndefined();
    file.write('one');
    file.write('two');
    expect([file.read(), readdirSync(join(folder, 'a', 'b'))]).toEqual(['two', ['state.json']]);
  });

  it('is readable by its owner alone: a card is in it', () => {
    const path = join(folder, 'card.json');
    new AtomicFile(path).write('{}');
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it('is as it was when a writer before died half way', () => {
    const path = join(folder, 'state.json');
    const file = new AtomicFile(path);
    file.write('whole');
    writeFileSync(`${path}.new`, 'ha');
    expect(file.read()).toBe('whole');
    file.write('next');
    expect(readFileSync(path, 'utf8')).toBe('next');
  });

  it.each(['', 'null', '7', '{"format":1', '{"other":true}'])(
    'is refused with its path when it holds %j',
    (text) => {
      const path = join(folder, 'state.json');
      const file = new AtomicFile(path);
      file.write(text);
      const read = () => file.readJson('state', (value) => (value['format'] === 1 ? value : undefined));
      expect(read).toThrow(StateFileError);
      expect(read).toThrow(path);
    },
  );

  it('does not take another error for an empty state', () => {
    expect(() => new AtomicFile(folder).read()).toThrow('EISDIR');
  });
});
