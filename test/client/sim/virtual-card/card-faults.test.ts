import { beforeEach, describe, expect, it } from 'vitest';
import { CardAbsentError, CardTransportError } from '../../../../client/sim/card-transport.ts';
import { encodeIccid } from '../../../../client/sim/files.ts';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { CardFaults } from '../../../../client/sim/virtual-card/card-faults.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';
import { ask, talk } from '../../../support/sim/talk.ts';

const readIccid = ['00A4080C022FE2', '00B000000A'];
let clock: FakeClock;
let card: VirtualCard;
let seen: string[];
beforeEach(async () => {
  clock = new FakeClock();
  card = new VirtualCard({ serial: 1, clock });
  seen = [];
  card.subscribe((state) => seen.push(state));
  await openIsdR();
});

async function openIsdR(): Promise<void> {
  await talk(card, '0070000001', '01A4040010A0000005591010FFFFFFFF8900000100');
}

const enable = (place: number): string =>
  `81E2910014BF3111A00C5A0A${toHex(encodeIccid(card.profiles[place]?.iccid ?? ''))}8101FF`;

/** How the card's answer ended, once it has; undefined while it has not. */
function outcome(apdu: string): { readonly now: () => string | undefined } {
  let ended: string | undefined;
  card.transmit(fromHex(apdu)).then(
    (answer) => {
      ended = toHex(answer);
    },
    (error: Error) => {
      ended = `${error.name}: ${error.message}`;
    },
  );
  return { now: () => ended };
}

describe.each([
  ['busy', '05'],
  ['policy', '03'],
  ['undefined', '7F'],
] as const)('the fault %s', (kind, result) => {
  it(`is result ${result} of each change of a profile until it is cleared, and of nothing else`, async () => {
    card.faults.set({ kind });
    expect(card.faults.refuse).toBe(kind);
    expect(await ask(card, enable(1))).toBe(`BF31038001${result}9000`);
    expect(await ask(card, enable(1))).toBe(`BF31038001${result}9000`);
    expect(await talk(card, ...readIccid)).toEqual(['9000', expect.stringMatching(/9000$/)]);
    card.faults.clear(kind);
    expect(await ask(card, enable(1))).toBe('BF3103800100910B');
  });

  it('happens as often as it is set for, where the answer would be a yes', async () => {
    card.faults.set({ kind, times: 2 });
    expect(await ask(card, enable(0))).toBe('BF31038001029000');
    expect(await ask(card, enable(1))).toBe(`BF31038001${result}9000`);
    expect(card.faults.list()).toEqual([{ kind, times: 1 }]);
    expect(await ask(card, enable(1))).toBe(`BF31038001${result}9000`);
    expect(card.faults.list()).toEqual([]);
    expect(await ask(card, enable(1))).toBe('BF3103800100910B');
  });
});

describe('a mute card', () => {
  it('answers nothing, now or later, until it is reset; what it was asked for it has not done', async () => {
    card.faults.set({ kind: 'mute', on: 'switch', times: 1 });
    const first = outcome(enable(1));
    const second = outcome('00A4080C022FE2');
    await clock.run(3_600_000);
    expect([first.now(), second.now()]).toEqual([undefined, undefined]);
    await card.reset();
    await clock.run(0);
    const said = 'CardTransportError: the card was reset during a command';
    expect([first.now(), second.now()]).toEqual([said, said]);
    expect(card.enabledProfile?.name).toBe('AT&T');
    expect(await talk(card, ...readIccid)).toEqual(['9000', expect.stringMatching(/9000$/)]);
  });

  it('may have done it all the same', async () => {
    card.faults.set({ kind: 'mute', on: 'switch', times: 1, when: 'after' });
    const silent = outcome(enable(1));
    await clock.run(1_000);
    expect(silent.now()).toBeUndefined();
    await card.reset();
    expect(card.enabledProfile?.name).toBe('T-Mobile');
  });

  it('that is closed or pulled lets go of who waits', async () => {
    card.faults.set({ kind: 'mute' });
    const closed = outcome('00A4080C022FE2');
    await card.close();
    await clock.run(0);
    expect(closed.now()).toBe('CardTransportError: the way to the card was closed');
    const pulled = outcome('00A4080C022FE2');
    card.faults.absent = true;
    await clock.run(0);
    expect(pulled.now()).toBe('CardAbsentError: the card was pulled out during a command');
  });
});

describe('a card that is pulled', () => {
  it('is absent until it is put back, and then without power until it is reset', async () => {
    card.faults.absent = true;
    expect(seen).toEqual(['absent']);
    await expect(card.transmit(fromHex('00A4080C022FE2'))).rejects.toThrow(CardAbsentError);
    await expect(card.reset()).rejects.toThrow(CardAbsentError);
    await expect(card.connect()).rejects.toThrow(CardAbsentError);
    card.faults.absent = false;
    expect(seen).toEqual(['absent', 'present']);
    await expect(card.transmit(fromHex('00A4080C022FE2'))).rejects.toThrow('without power');
    await card.connect();
    expect(await talk(card, ...readIccid)).toEqual(['9000', expect.stringMatching(/9000$/)]);
    expect(await talk(card, '01A4000C023F00')).toEqual(['6881']);
  });

  it('during a command is as it was, where the command came too late', async () => {
    card.faults.set({ kind: 'removed', on: 'switch', times: 1, delay: 2_000 });
    await expect(card.transmit(fromHex(enable(1)))).rejects.toThrow('pulled out during a command');
    await clock.run(1_999);
    expect(seen).toEqual(['absent']);
    await clock.run(1);
    expect(seen).toEqual(['absent', 'present']);
    await card.reset();
    expect(card.enabledProfile?.name).toBe('AT&T');
  });

  it('before the REFRESH was answered forgets the change; after it, keeps it', async () => {
    expect(await ask(card, enable(1))).toBe('BF3103800100910B');
    card.faults.set({ kind: 'removed', on: 'toolkit', times: 1, when: 'after', delay: 10 });
    await expect(card.transmit(fromHex('801200000B'))).rejects.toThrow(CardAbsentError);
    await clock.run(10);
    await card.reset();
    expect(card.enabledProfile?.name).toBe('AT&T');
    await openIsdR();
    await ask(card, enable(1));
    await talk(card, '801200000B');
    card.faults.set({ kind: 'removed', on: 'toolkit', times: 1, when: 'after', delay: 10 });
    await expect(card.transmit(fromHex('801400000C810301010482028281830100'))).rejects.toThrow(
      CardAbsentError,
    );
    await clock.run(10);
    await card.reset();
    expect(card.enabledProfile?.name).toBe('T-Mobile');
  });

  it('while it works on a switch has not done it', async () => {
    card = new VirtualCard({ serial: 1, clock, switchLatency: 300 });
    await openIsdR();
    const pulled = outcome(enable(1));
    await clock.run(299);
    card.faults.absent = true;
    card.faults.absent = false;
    await card.reset();
    await clock.run(10_000);
    expect(pulled.now()).toMatch(/^CardAbsentError/);
    expect(card.enabledProfile?.name).toBe('AT&T');
    expect(await talk(card, '801200000B')).toEqual(['6985']);
  });
});

describe('what befalls the line', () => {
  it('a wrong length and a technical problem are status words, and nothing was done', async () => {
    card.faults.set({ kind: 'wrong-length', on: 'switch', times: 1 });
    card.faults.set({ kind: 'technical', on: 'read', times: 1 });
    expect(await talk(card, enable(1), ...readIccid)).toEqual(['6700', '9000', '6F00']);
    await card.reset();
    expect(card.enabledProfile?.name).toBe('AT&T');
  });

  it('a truncated answer lacks its last byte, or half of its status word', async () => {
    card.faults.set({ kind: 'truncated', on: 'read', times: 1 });
    expect(await talk(card, ...readIccid)).toEqual([
      '9000',
      `${toHex(encodeIccid(card.profiles[0]?.iccid ?? '')).slice(0, 18)}9000`,
    ]);
    card.faults.set({ kind: 'truncated', times: 1 });
    expect(await talk(card, '00A4080C022FE2')).toEqual(['90']);
  });

  it('garbage is the same bytes for the same seed', async () => {
    const garbage = async (seed: number): Promise<string> => {
      const victim = new VirtualCard({ serial: 1 });
      victim.faults.random = { seed, probability: 0 };
      victim.faults.set({ kind: 'garbage' });
      return (await talk(victim, ...Array(5).fill('00A4080C022FE2'))).join('|');
    };
    expect(await garbage(1)).toBe(await garbage(1));
    expect(await garbage(1)).not.toBe(await garbage(2));
  });

  it('a slow card answers after its delay, and not at all where it is pulled or reset meanwhile', async () => {
    card.faults.set({ kind: 'slow', delay: 500 });
    const slow = outcome('00A4080C022FE2');
    await clock.run(499);
    expect(slow.now()).toBeUndefined();
    await clock.run(1);
    expect(slow.now()).toBe('9000');
    const change = outcome(enable(1));
    await card.reset();
    await clock.run(1_000);
    expect(change.now()).toMatch(/^CardTransportError/);
    card.faults.clear();
    await card.reset();
    expect(card.enabledProfile?.name).toBe('AT&T');
  });
});

describe('faults by chance', () => {
  /** What 2000 reads and switches come to. */
  async function run(seed: number): Promise<readonly string[]> {
    const victim = new VirtualCard({ serial: 1, clock });
    victim.faults.random = {
      seed,
      probability: 0.05,
      kinds: ['technical', 'wrong-length', 'removed', 'busy'],
      delay: 0,
    };
    const log: string[] = [];
    for (let i = 0; i < 2_000; i++) {
      try {
        log.push((await talk(victim, i % 10 === 0 ? '00B0000001' : '00A4080C022FE2')).join());
      } catch (error) {
        if (!(error instanceof CardTransportError)) throw error;
        log.push(error.name);
        await clock.run(1);
        await victim.reset();
      }
    }
    return log;
  }

  it('are the same for the same seed, other ones for another, and about as many as was said', async () => {
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
    const counts = ['6F00', '6700', 'CardAbsentError'].map(
      (what) => first.filter((one) => one === what).length,
    );
    for (const count of counts) expect(count).toBeGreaterThan(10);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThan(200);
  });
});

describe('the list of faults', () => {
  it('has one of each kind, tells changes, and is replaced as a whole', () => {
    let changes = 0;
    const faults = new CardFaults(() => changes++);
    faults.set({ kind: 'slow', delay: 1 });
    faults.set({ kind: 'slow', delay: 2 });
    expect(faults.list()).toEqual([{ kind: 'slow', delay: 2 }]);
    expect(changes).toBe(2);
    faults.replace([{ kind: 'mute', times: 3 }], { seed: 1, probability: 0.5 });
    expect([faults.list(), faults.random]).toEqual([
      [{ kind: 'mute', times: 3 }],
      { seed: 1, probability: 0.5 },
    ]);
    faults.refuse = 'busy';
    faults.refuse = 'policy';
    expect(faults.refuse).toBe('policy');
    faults.refuse = undefined;
    faults.clear();
    expect([faults.list(), faults.random, faults.refuse]).toEqual([[], undefined, undefined]);
  });
});
