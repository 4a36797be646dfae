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
      provisioning: undefined,
      lastCommand: 0,
      lastCarrier: undefined,
      lastIccid: undefined,
      reconnectAfter: 600,
      returnTo: undefined,
      disconnectedAt: undefined,
    });
  });

  it('knows what was taken, as soon as it was taken', () => {
    open().take({ id: 7, target: 1, takenAt: 1_790_000_000_000, from: 0 });
    expect(open().contents).toMatchObject({
      entry: { id: 7, target: 1, takenAt: 1_790_000_000_000, from: 0, undone: undefined, outcome: undefined },
      lastCommand: 7,
    });
  });

  it('knows how it ended, and the settings', () => {
    const journal = open();
    journal.take({ id: 7, target: 15, takenAt: 1, from: 2 });
    journal.undo('no network');
    journal.finish({ succeeded: false, reason: 'refused', at: 2 });
    journal.set({ reconnectAfter: 30, disconnectedAt: 3, lastCarrier: 4 });
    expect(open().contents).toEqual({
      entry: {
        id: 7,
        target: 15,
        takenAt: 1,
        from: 2,
        undone: 'no network',
        outcome: { succeeded: false, reason: 'refused', at: 2 },
      },
      provisioning: undefined,
      lastCommand: 7,
      lastCarrier: 4,
      lastIccid: undefined,
      reconnectAfter: 30,
      returnTo: undefined,
      disconnectedAt: 3,
    });
  });

  it('keeps the highest command id when a switch without one follows', () => {
    const journal = open();
    journal.take({ id: 7, target: 1, takenAt: 1, from: undefined });
    journal.take({ id: undefined, target: 2, takenAt: 2, from: 1 });
    expect(open().contents).toMatchObject({ lastCommand: 7, entry: { id: undefined, target: 2 } });
  });

  it('has an operation on profiles beside the newest switch, and one of them under way', () => {
    const journal = open();
    journal.take({ id: 7, target: 1, takenAt: 1, from: 0 });
    expect(journal.unfinished).toBe('entry');
    journal.finish({ succeeded: true, reason: '', at: 2 });
    journal.takeProvisioning({ action: 'delete', target: 2, takenAt: 3, from: 1 });
    expect(open().unfinished).toBe('provisioning');
    journal.finish({ succeeded: false, reason: 'refused', at: 4 });
    expect(open().contents).toMatchObject({
      entry: { id: 7, outcome: { succeeded: true } },
      provisioning: {
        action: 'delete',
        target: 2,
        from: 1,
        outcome: { succeeded: false, reason: 'refused' },
      },
      lastCommand: 7,
    });
    expect(open().unfinished).toBeUndefined();
  });

  it('of the former format is taken over', () => {
    writeFileSync(
      path,
      '{"format":1,"entry":{"id":7,"target":1,"takenAt":1},"lastCommand":7,"lastIccid":"8901","reconnectAfter":30}',
    );
    expect(open().contents).toMatchObject({
      entry: { id: 7, target: 1, takenAt: 1, from: undefined, undone: undefined, outcome: undefined },
      provisioning: undefined,
      lastIccid: '8901',
      reconnectAfter: 30,
    });
  });

  it.each([
    '{}',
    '{"format":3,"lastCommand":1,"reconnectAfter":1}',
    '{"format":2,"lastCommand":1,"reconnectAfter":1,"provisioning":{"action":"format","takenAt":1}}',
    '{"format":2,"lastCommand":1,"reconnectAfter":1,"returnTo":"1"}',
    '{"format":2,"lastCommand":1,"reconnectAfter":1,"entry":{"target":1,"takenAt":1,"undone":2}}',
    '{"format":1,"lastCommand":"1","reconnectAfter":1}',
    '{"format":1,"lastCommand":1,"reconnectAfter":1,"lastIccid":5}',
    '{"format":1,"lastCommand":1,"reconnectAfter":1,"entry":{"target":1}}',
    '{"format":1,"lastCommand":1,"reconnectAfter":1,"entry":{"target":1,"takenAt":1,"outcome":{"succeeded":1}}}',
  ])('is refused when it is damaged: %s', (text) => {
    writeFileSync(path, text);
    expect(open).toThrow(StateFileError);
  });
});
