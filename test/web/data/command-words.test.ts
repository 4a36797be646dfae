import { describe, expect, it } from 'vitest';
import type { ApiCommand } from '../../../web/data/api-types.ts';
import {
  commandFilterOf,
  commandKindOf,
  commandQuery,
  commandTitle,
  mayCancel,
  mayRetry,
  statesOf,
} from '../../../web/data/command-words.ts';

function aCommand(change: Partial<ApiCommand>): ApiCommand {
  return {
    id: 'c1',
    endpoint: 'm',
    number: 1,
    kind: 'request',
    parameters: { operation: 'read', path: '/3/0/9' },
    state: 'queued',
    attempts: 0,
    createdAt: 0,
    updatedAt: 0,
    expiresAt: 1,
    history: [],
    ...change,
  };
}

describe('a command', () => {
  it('says what it does', () => {
    expect(commandTitle(aCommand({}))).toBe('Read Battery Level (/3/0/9)');
    expect(
      commandTitle(aCommand({ kind: 'carrier-switch', parameters: { carrier: 1, name: 'T-Mobile' } })),
    ).toBe('Switch to T-Mobile');
    expect(
      commandTitle(aCommand({ parameters: { operation: 'observe-composite', paths: ['/3/0/9', '/4/0/2'] } })),
    ).toBe('Observe together /3/0/9, /4/0/2');
    expect(commandTitle(aCommand({ kind: 'something-later' }))).toBe('something-later');
  });

  it('can be cancelled before it is sent, and retried when it did not succeed', () => {
    const states = [
      'queued',
      'sent',
      'accepted',
      'done',
      'failed',
      'cancelled',
      'expired',
      'unknown',
    ] as const;
    expect(states.filter((state) => mayCancel(aCommand({ state })))).toEqual(['queued']);
    expect(states.filter((state) => mayRetry(aCommand({ state })))).toEqual([
      'failed',
      'cancelled',
      'expired',
      'unknown',
    ]);
  });

  it('is looked for by groups of states, and by single ones of old links', () => {
    expect(commandFilterOf('state=active')).toBe('active');
    expect(commandFilterOf('state=queued')).toBe('waiting');
    expect(commandFilterOf('')).toBe('all');
    expect(commandFilterOf('state=x')).toBe('all');
    expect(commandKindOf('state=failed&kind=carrier-switch')).toBe('carrier-switch');
    expect(commandKindOf('kind=nothing')).toBeUndefined();
    expect(commandQuery('failed', 'carrier-switch')).toBe('state=failed&kind=carrier-switch');
    expect(commandQuery('all', undefined)).toBe('');
    expect(statesOf('active')).toEqual(['sent', 'accepted']);
    expect(statesOf('all')).toEqual([]);
  });
});
