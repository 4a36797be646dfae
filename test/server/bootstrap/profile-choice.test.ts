import { describe, expect, test } from 'vitest';
import { chooseProfile } from '../../../server/bootstrap/profile-choice.ts';
import type { BootstrapProfile } from '../../../server/ports/bootstrap-store.ts';
import { aProfile } from '../../contract/bootstrap-store.ts';

const profile = (id: string, change: Partial<BootstrapProfile> = {}) =>
  aProfile(id, { devices: {}, priority: 0, ...change });

describe('the profile of a device', () => {
  const profiles = [
    profile('all'),
    profile('meters', { devices: { endpoint: 'meter-*' }, priority: 5 }),
    profile('model', { devices: { model: 'ec?1' }, priority: 7 }),
    profile('maker', { devices: { manufacturer: 'ACME*' }, priority: 7 }),
    profile('off', { devices: {}, priority: 99, enabled: false }),
  ];

  test.each([
    [{ endpoint: 'other' }, 'all'],
    [{ endpoint: 'meter-1' }, 'meters'],
    [{ endpoint: 'Meter-1' }, 'all'],
    [{ endpoint: 'meter-1', model: 'EC21' }, 'model'],
    [{ endpoint: 'meter-1', manufacturer: 'Acme Inc' }, 'maker'],
    [{ endpoint: 'meter-1', manufacturer: 'Acme Inc', model: 'EC21' }, 'maker'],
  ])('of %j is %s by the rules', (subject, id) => {
    const choice = chooseProfile(profiles, undefined, subject);
    expect([choice.profile?.id, 'by' in choice && choice.by]).toEqual([id, 'rule']);
  });

  test('that was assigned goes before the rules', () => {
    expect(chooseProfile(profiles, 'all', { endpoint: 'meter-1' })).toMatchObject({
      by: 'device',
      profile: { id: 'all' },
    });
  });

  test.each([
    ['gone', "its profile 'gone' is not there any more"],
    ['off', "its profile 'off' is disabled"],
  ])('that was assigned and is not to be had (%s) has no other in its place', (assigned, reason) => {
    expect(chooseProfile(profiles, assigned, { endpoint: 'meter-1' })).toEqual({
      profile: undefined,
      reason,
    });
  });

  test('is none where none fits', () => {
    expect(chooseProfile(profiles.slice(1), undefined, { endpoint: 'other' })).toEqual({
      profile: undefined,
      reason: 'no profile is for it',
    });
  });
});
