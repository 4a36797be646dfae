import { describe, expect, it } from 'vitest';
import { StateFileError } from '../../../../client/atomic-file.ts';
import {
  type AppletMemory,
  formatAppletMemory,
  parseAppletMemory,
} from '../../../../client/sim/virtual-card/applet-memory.ts';
import { newAppletRecord } from '../../../../client/sim/virtual-card/applet-switch.ts';

const full: AppletMemory = {
  gateway: { address: '192.0.2.7', port: 6001 },
  record: {
    pending: { target: 2, previous: 0, origin: 'network', stage: 'farewell' },
    report: { status: 1, carrier: 15 },
    outcome: { status: 0, carrier: 1 },
    trial: 0,
  },
};

describe('what the carrier applet keeps', () => {
  it.each([[full], [{ gateway: undefined, record: newAppletRecord }]])('comes back as it was', (memory) => {
    expect(parseAppletMemory(JSON.parse(JSON.stringify(formatAppletMemory(memory))))).toEqual(memory);
  });

  it('is a new applet’s where there is nothing yet', () => {
    expect(parseAppletMemory(undefined)).toEqual({ gateway: undefined, record: newAppletRecord });
  });

  it.each([
    [7],
    [[]],
    [{ gateway: { address: 'nowhere', port: 1 } }],
    [{ gateway: { address: '192.0.2.7', port: 65_536 } }],
    [{ pending: { target: 16, previous: 0, origin: 'network', stage: 'switched' } }],
    [{ pending: { target: 1, previous: 0, origin: 'nobody', stage: 'switched' } }],
    [{ pending: { target: 1, previous: 0, origin: 'network', stage: 'half' } }],
    [{ report: { status: 2, carrier: 0 } }],
    [{ outcome: null }],
    [{ trial: 1.5 }],
  ])('that somebody else wrote is told: %j', (value) => {
    expect(() => parseAppletMemory(value as never)).toThrow(StateFileError);
  });
});
