import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AtomicFile, StateFileError } from '../../../client/atomic-file.ts';
import { CommandJournal, fileJournal } from '../../../client/modem/command-journal.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-journal-'));
  path = join(folder, 'journal.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (): CommandJournal => new CommandJournal(fileJournal(new AtomicFile(path)));

describe('the command journal', () => {
  it('of a new modem is empty', () => {
    expect(open().contents).toEqual({
      entry: undefined,
      lastCommand: 0,
      lastCarrier: undefined,
      lastIccid: undefined,
      reconnectAfter: 600,
      disconnectedAt: undefined,
    });
  });

  it('knows what was taken, as soon as it was taken', () => {
    open().take(7, 1, 1_790_000_000_000);
    expect(open().contents).toMatchObject({
      entry: { id: 7, target: 1, takenAt: 1_790_000_000_000, outcome: undefined },
      lastCommand: 7,
    });
  });

  it('knows how it ended, and the settings', () => {
    const journal = open();
    journal.take(7, 15, 1);
    journal.finish({ succeeded: false, reason: 'refused', at: 2 });
    journal.set({ reconnectAfter: 30, disconnectedAt: 3, lastCarrier: 4 });
    expect(open().contents).toEqual({
      entry: { id: 7, target: 15, takenAt: 1, outcome: { succeeded: false, reason: 'refused', at: 2 } },
      lastCommand: 7,
      lastCarrier: 4,
      lastIccid: undefined,
      reconnectAfter: 30,
      disconnectedAt: 3,
    });
  });

  it('keeps the highest command id when a switch without one follows', () => {
    const journal = open();
    journal.take(7, 1, 1);
    journal.take(undefined, 2, 2);
    expect(open().contents).toMatchObject({ lastCommand: 7, entry: { id: undefined, target: 2 } });
  });

  it.each([
    '{}',
    '{"format":2,"lastCommand":1,"reconnectAfter":1}',
    '{"format":1,"lastCommand":"1","reconnectAfter":1}',
    '{"format":1,"lastCommand":1,"reconnectAfter":1,"lastIccid":5}',
    '{"format":1,"lastCommand":1,"reconnectAfter":1,"entry":{"target":1}}',
    '{"format":1,"lastCommand":1,"reconnectAfter":1,"entry":{"target":1,"takenAt":1,"outcome":{"succeeded":1}}}',
  ])('is refused when it is damaged: %s', (text) => {
    writeFileSync(path, text);
    expect(open).toThrow(StateFileError);
  });
});
