import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AtomicFile, StateFileError } from '../../../client/atomic-file.ts';
import { fileSettings, KeptSettings } from '../../../client/modem/kept-settings.ts';
import { ClientWorld } from '../../support/client/client-world.ts';

let folder: string;
let path: string;
const open = () => new KeptSettings(fileSettings(new AtomicFile(path)));
const number = (value: unknown) => (typeof value === 'number' ? value : undefined);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-settings-'));
  path = join(folder, 'settings.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('what servers write', () => {
  it('is kept in one file, by section', () => {
    const settings = open();
    expect(settings.read('a', number)).toBeUndefined();
    settings.write('a', 1);
    settings.write('b', 2);
    settings.write('a', 3);
    expect([open().read('a', number), open().read('b', number)]).toEqual([3, 2]);
  });

  it('is forgotten on a reset, and who had read it is told', () => {
    const settings = open();
    settings.write('a', 1);
    let told = 0;
    settings.onClear(() => told++);
    settings.clear();
    expect([told, settings.read('a', number), open().read('a', number)]).toEqual([1, undefined, undefined]);
  });

  it('is not guessed where it is damaged: the modem does not start', () => {
    open().write('a', 'text');
    expect(() => open().read('a', number)).toThrow(StateFileError);
    writeFileSync(path, '{"format":2}');
    expect(open).toThrow(StateFileError);
  });

  it.each(['time', 'apn', 'bearer', 'cellular', 'portfolio', 'app-data', 'statistics', 'log'])(
    'is checked when a modem starts: a damaged section %s is told',
    (section) => {
      const settings = fileSettings(new AtomicFile(path));
      for (const damaged of ['damaged', [[1, null]], { timezone: 5, edrx: 7 }, null]) {
        settings.write({ [section]: damaged });
        expect(() => new ClientWorld().modem({ settings })).toThrow(StateFileError);
      }
    },
  );
});
