import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeIccid } from '../../../../client/sim/files.ts';
import { toHex } from '../../../../client/sim/hex.ts';
import { volatileCardMemory } from '../../../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';
import { ask, talk } from '../../../support/sim/talk.ts';

type Step =
  | { readonly kind: 'enable' | 'disable'; readonly place: number; readonly refresh: boolean }
  | { readonly kind: 'fetch' | 'reset' | 'pull' | 'another process' }
  | { readonly kind: 'response'; readonly performed: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('enable' as const, 'disable' as const),
    place: fc.integer({ min: 0, max: 2 }),
    refresh: fc.boolean(),
  }),
  fc.record({
    kind: fc.constantFrom('fetch' as const, 'reset' as const, 'pull' as const, 'another process' as const),
  }),
  fc.record({ kind: fc.constant('response' as const), performed: fc.boolean() }),
);

describe('which profile is enabled', () => {
  it('is at any moment what a terminal response, a reset or a change without refresh made it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const memory = volatileCardMemory();
        let card = new VirtualCard({ serial: 1, memory });
        const select = (): Promise<string[]> =>
          talk(card, '0070000001', '01A4040010A0000005591010FFFFFFFF8900000100');
        await select();
        /** The model: what is enabled, what waits, and whether the REFRESH has been fetched. */
        let enabled: number | undefined = 0;
        let waits: { readonly target: number | undefined } | undefined;
        let fetched = false;
        let awaitsReset = false;
        const powerUp = async (): Promise<void> => {
          waits = undefined;
          fetched = false;
          awaitsReset = false;
          await select();
        };
        for (const one of steps) {
          if (one.kind === 'enable' || one.kind === 'disable') {
            const enabling = one.kind === 'enable';
            const iccid = toHex(encodeIccid(card.profiles[one.place]?.iccid ?? ''));
            const tag = enabling ? 'BF31' : 'BF32';
            const answer = await ask(
              card,
              `81E2910014${tag}11A00C5A0A${iccid}8101${one.refresh ? 'FF' : '00'}`,
            );
            if (awaitsReset) {
              expect(answer).toBe('6985');
              continue;
            }
            const wrongState = enabling === (one.place === enabled);
            const result = wrongState ? '02' : waits !== undefined ? '05' : '00';
            expect(answer.slice(0, 12)).toBe(`${tag}03800100`.slice(0, 10) + result);
            if (result !== '00') continue;
            const target = enabling ? one.place : undefined;
            if (one.refresh) waits = { target };
            else enabled = target;
          } else if (one.kind === 'fetch') {
            const can = waits !== undefined && !fetched;
            expect((await talk(card, '801200000B'))[0]).toMatch(can ? /^D009.*9000$/ : /^6985$/);
            if (can) {
              fetched = true;
              awaitsReset = true;
            }
          } else if (one.kind === 'response') {
            const apdu = `801400000C8103010104820282818301${one.performed ? '00' : '20'}`;
            expect(await talk(card, apdu)).toEqual([fetched ? '9000' : '6985']);
            if (!fetched) continue;
            if (one.performed && waits !== undefined) enabled = waits.target;
            if (!one.performed) awaitsReset = false;
            waits = undefined;
            fetched = false;
          } else {
            if (one.kind === 'reset') {
              if (waits !== undefined) enabled = waits.target;
              await card.reset();
            } else if (one.kind === 'pull') {
              card.faults.absent = true;
              card.faults.absent = false;
              await card.connect();
            } else card = new VirtualCard({ serial: 1, memory });
            await powerUp();
          }
          expect(card.enabledProfile?.name).toBe(
            enabled === undefined ? undefined : card.profiles[enabled]?.name,
          );
          expect(memory.read()?.enabled).toBe(card.enabledProfile?.iccid);
        }
      }),
      { numRuns: 400 },
    );
  });
});
