import { expect, test } from 'vitest';
import { isTrouble } from '../../../server/live/trouble.ts';

test.each([
  ['expired', { registration: {} }, true],
  ['deregistered', { registration: {} }, false],
  ['registered', { registration: {} }, false],
  ['observation-refused', { path: '/3/0/9' }, true],
  ['observation-drifted', { path: '/3/0/9' }, true],
  ['observation-ended', { path: '/3/0/9' }, false],
  ['command', { command: { state: 'failed' } }, true],
  ['command', { command: { state: 'unknown' } }, true],
  ['command', { command: { state: 'done' } }, false],
  ['command', { command: { state: 'cancelled' } }, false],
  ['command', {}, false],
  ['webhook', { webhook: { state: 'retrying' } }, true],
  ['webhook', { webhook: { state: 'active' } }, false],
  ['job', { job: { state: 'running', counts: { failed: 3 } } }, false],
  ['job', { job: { state: 'done', counts: { failed: 0, done: 9 } } }, false],
  ['job', { job: { state: 'done', counts: { failed: 1 } } }, true],
  ['job', { job: { state: 'stopped' } }, true],
  ['job', { job: null }, false],
  ['node', { node: { name: 'a', state: 'gone' } }, true],
  ['node', { node: { name: 'a', state: 'stopped' } }, false],
] as const)('%s with %j is trouble: %s', (type, data, trouble) => {
  expect(isTrouble(type, data)).toBe(trouble);
});
