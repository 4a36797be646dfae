import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileAccounts } from '../../client/account-file.ts';
import { AtomicFile, StateFileError } from '../../client/atomic-file.ts';
import type { AccountRecords } from '../../client/lwm2m/accounts.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-accounts-'));
  path = join(folder, 'accounts.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => fileAccounts(new AtomicFile(path));
const current: AccountRecords = new Map<string, Parameters<Map<string, never>['set']>[1]>([
  ['/0/1/0', 'coaps://a:5684' as never],
  ['/0/1/1', false as never],
  ['/0/1/5', Uint8Array.of(0, 255, 7) as never],
  ['/0/1/17', { objectId: 21, instanceId: 0 } as never],
  ['/1/0/1', (2n ** 60n) as never],
  ['/2/0/2/101', 15 as never],
]);

test('there are none until they are written, and then they are as they were', () => {
  expect(open().read()).toBeUndefined();
  open().write({ current, previous: undefined });
  expect(open().read()).toEqual({ current, previous: undefined });
  open().write({ current, previous: new Map([['/0/0/1', true]]) });
  expect(open().read()).toEqual({ current, previous: new Map([['/0/0/1', true]]) });
});

test('nobody but their owner can read them', () => {
  open().write({ current, previous: undefined });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each([
  'nonsense',
  '{}',
  '{"format":2,"current":[]}',
  '{"format":1,"current":{}}',
  '{"format":1,"current":[["/0/1/0"]]}',
  '{"format":1,"current":[["nowhere","a"]]}',
  '{"format":1,"current":[["/0/1/5",{"bytes":"0"}]]}',
  '{"format":1,"current":[["/0/1/17",{"link":[1,-1]}]]}',
  '{"format":1,"current":[],"previous":7}',
])('%s is told to be no such file, and left as it is', (text) => {
  writeFileSync(path, text);
  expect(() => open().read()).toThrow(StateFileError);
  expect(readFileSync(path, 'utf8')).toBe(text);
});
