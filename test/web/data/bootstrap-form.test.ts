import { describe, expect, it } from 'vitest';
import {
  emptyProfile,
  formOfProfile,
  profileOfForm,
  profileOfJson,
} from '../../../web/data/bootstrap-form.ts';

const body = {
  name: 'Meters',
  enabled: true,
  devices: { endpoint: 'meter-*' },
  priority: -3,
  readFirst: true,
  remove: ['/0', '/1'],
  servers: [
    {
      shortServerId: 101,
      uri: 'coaps://a',
      security: 'psk' as const,
      lifetime: 60,
      binding: 'UQ',
      notificationStoring: false,
      priority: 4,
    },
  ],
  objects: [
    { path: '/3/0/15', value: 'Europe/Berlin' },
    { path: '/1/0/1', value: 5 },
    { path: '/1/0/6', value: true },
  ],
  access: [{ objectId: 3, instanceId: 0, owner: 101, rights: [{ shortServerId: 0, rights: 1 }] }],
  retries: 2,
};

describe('the form of a profile', () => {
  it('says what the profile says, what it has no fields for included', () => {
    const { body: again, faults } = profileOfForm(formOfProfile('meters', body));
    expect([again, [...faults]]).toEqual([body, []]);
  });

  it('names each field that has to be mended', () => {
    const form = formOfProfile('Meters!', {
      ...body,
      name: ' ',
      servers: [{ ...(body.servers[0] as (typeof body.servers)[number]), uri: 'coap://a', binding: 'X' }],
    });
    const { faults } = profileOfForm({ ...form, retries: '9', objects: 'what' });
    expect([...faults.keys()].sort()).toEqual(['0.binding', '0.uri', 'id', 'name', 'objects', 'retries']);
    expect([...profileOfForm({ ...emptyProfile, servers: [] }).faults.keys()]).toContain('servers');
  });
});

describe('a profile as JSON', () => {
  it('is taken, or said to be none', () => {
    expect(profileOfJson(JSON.stringify(body))).toEqual(body);
    expect(profileOfJson('{')).toHaveProperty('fault');
    expect(profileOfJson('{}')).toEqual({
      fault: 'A profile is an object with name, devices, remove, servers, objects, access',
    });
  });
});
