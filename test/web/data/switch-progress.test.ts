import { describe, expect, it } from 'vitest';
import type { ApiCommand } from '../../../web/data/api-types.ts';
import {
  type CommandState,
  outcomeWord,
  switchEffect,
  switchSteps,
  switchTarget,
} from '../../../web/data/switch-progress.ts';

function command(states: readonly CommandState[], extra: Partial<ApiCommand> = {}): ApiCommand {
  return {
    id: 'c1',
    endpoint: 'a',
    number: 1,
    kind: 'carrier-switch',
    parameters: { carrier: 1, name: 'T-Mobile', slot: 0 },
    state: states.at(-1) ?? 'queued',
    attempts: 0,
    createdAt: 0,
    updatedAt: states.length * 100,
    expiresAt: 1e6,
    history: states.map((state, index) => ({ state, at: index * 100 })),
    ...extra,
  };
}

const shown = (given: ApiCommand) => switchSteps(given).map(({ label, status }) => `${label}: ${status}`);

describe('switchSteps', () => {
  it('shows where a switch is, never further', () => {
    expect(shown(command(['queued', 'sent']))).toEqual([
      'Queued: done',
      'Sent: current',
      'Card busy: ahead',
      'Card’s answer: ahead',
    ]);
  });

  it('ends with the ACK of the card', () => {
    expect(shown(command(['queued', 'sent', 'accepted', 'done']))).toEqual([
      'Queued: done',
      'Sent: done',
      'Card busy: done',
      'ACK: done',
    ]);
  });

  it('takes what lies behind an ACK that overtook the acceptance as done', () => {
    expect(shown(command(['queued', 'sent', 'done']))[2]).toBe('Card busy: done');
  });

  it('ends with the NACK of the card and its reason', () => {
    const refused = command(['queued', 'sent', 'accepted', 'failed'], {
      reason: 'profile locked',
      result: { answer: 'NACK' },
    });
    expect(switchSteps(refused).at(-1)).toEqual({
      label: 'NACK',
      status: 'failed',
      at: 300,
      note: 'profile locked',
    });
  });

  it('does not blame the card for what the device refused', () => {
    const refused = command(['queued', 'sent', 'failed'], { reason: '4.05 Method Not Allowed' });
    expect(shown(refused).slice(2)).toEqual(['Card busy: ahead', 'Failed: failed']);
  });

  it('says honestly that nobody knows', () => {
    const lost = command(['queued', 'sent', 'accepted', 'unknown']);
    expect(switchSteps(lost).at(-1)).toMatchObject({ label: 'Unknown', status: 'unclear' });
  });

  it('shows the times at which each step was taken', () => {
    expect(switchSteps(command(['queued', 'sent', 'accepted'])).map(({ at }) => at)).toEqual([
      0,
      100,
      200,
      undefined,
    ]);
  });
});

describe('words', () => {
  it.each<[CommandState, string]>([
    ['queued', 'In progress'],
    ['accepted', 'In progress'],
    ['done', 'ACK'],
    ['cancelled', 'Cancelled'],
    ['expired', 'Expired'],
    ['unknown', 'Unknown'],
  ])('%s is %s', (state, word) => {
    expect(outcomeWord(command([state]))).toBe(word);
  });

  it('names the carrier, by its id where there is no name', () => {
    expect(switchTarget(command([]))).toBe('T-Mobile');
    expect(switchTarget(command([], { parameters: { carrier: 7 } }))).toBe('7');
  });

  it('says what a switch does before it is confirmed', () => {
    expect(switchEffect('Verizon', { current: 'AT&T' })).toContain('leaves AT&T');
    expect(switchEffect('Verizon', { current: '' })).not.toContain('leaves');
    expect(switchEffect('Disconnect', { current: 'AT&T' }).replaceAll('\u202f', ' ')).toContain(
      'after 10 min',
    );
    expect(
      switchEffect('Disconnect', { current: 'AT&T', reconnectAfter: 30 }).replaceAll('\u202f', ' '),
    ).toContain('after 30 s');
  });
});
