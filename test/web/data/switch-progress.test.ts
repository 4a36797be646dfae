import { describe, expect, it } from 'vitest';
import type { ApiCarrierSlot, ApiCommand } from '../../../web/data/api-types.ts';
import {
  type CommandState,
  carrierSince,
  outcomeWord,
  switchEffect,
  switchSteps,
  switchTarget,
  switchTitle,
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
    expect(switchTarget(command([], { parameters: { carrier: 7 } }))).toBe('Carrier 7');
    expect(switchTarget(command([], { parameters: { carrier: 7, name: 'x'.repeat(3000) } }))).toHaveLength(
      60,
    );
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

  it('promises nothing of a device that does not speak LwM2M', () => {
    expect(switchEffect('Disconnect', { current: 'AT&T', gateway: true })).not.toContain('re-attaches');
    expect(switchEffect('Verizon', { current: 'AT&T', gateway: true })).not.toContain('ICCID');
  });
});

describe('switchTitle', () => {
  it('says what is done', () => {
    expect(switchTitle(command([]))).toBe('Switch to T-Mobile');
    expect(switchTitle(command([], { parameters: { carrier: 65535, name: 'Disconnect' } }))).toBe(
      'Disconnect',
    );
  });
});

describe('carrierSince', () => {
  const slot = (extra: Partial<ApiCarrierSlot> = {}): ApiCarrierSlot => ({
    slot: 0,
    current: 'T-Mobile',
    available: [],
    lastSwitch: 5000,
    ...extra,
  });
  const numbered = (number: number, state: CommandState, name = 'T-Mobile', inSlot = 0) =>
    command([state], { number, parameters: { carrier: 1, name, slot: inSlot } });

  it('is when the switch to the current carrier was', () => {
    expect(carrierSince(slot(), [numbered(2, 'done'), numbered(1, 'done', 'AT&T')])).toBe(5000);
    expect(carrierSince(slot({ command: numbered(2, 'done') }), [])).toBe(5000);
  });

  it('is not told when the last switch led elsewhere: to no carrier, or nowhere for it was refused', () => {
    expect(carrierSince(slot(), [numbered(2, 'done', 'Disconnect'), numbered(1, 'done')])).toBeUndefined();
    expect(carrierSince(slot(), [numbered(1, 'done'), numbered(2, 'failed', 'AT&T')])).toBeUndefined();
    expect(carrierSince(slot(), [numbered(2, 'failed'), numbered(1, 'done')])).toBeUndefined();
  });

  it('is not told where nothing is known of a switch, or the card has no carrier', () => {
    expect(carrierSince(slot(), [])).toBeUndefined();
    expect(carrierSince(slot({ current: '' }), [numbered(1, 'done', '')])).toBeUndefined();
    expect(carrierSince(slot({ lastSwitch: 0 }), [numbered(1, 'done')])).toBeUndefined();
  });

  it('is moved neither by what never came to the card nor by another slot', () => {
    const commands = [
      numbered(4, 'done', 'AT&T', 1),
      numbered(3, 'cancelled', 'AT&T'),
      numbered(2, 'expired', 'AT&T'),
    ];
    expect(carrierSince(slot(), [...commands, numbered(1, 'done')])).toBe(5000);
  });
});
