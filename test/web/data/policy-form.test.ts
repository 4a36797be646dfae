import { describe, expect, it } from 'vitest';
import type { ApiObservationPolicyBody } from '../../../web/data/api-types.ts';
import { selectorText, wantedText } from '../../../web/data/policies.ts';
import {
  emptyPolicy,
  emptyWanted,
  formOfPolicy,
  policyOfForm,
  policyOfJson,
} from '../../../web/data/policy-form.ts';

const meters: ApiObservationPolicyBody = {
  name: 'Meters',
  enabled: false,
  devices: { manufacturer: 'Acme*', object: 3 },
  observations: [
    { paths: ['/3/0/9'], attributes: { pmin: 60, pmax: 3600, gt: -4.5 }, contentFormat: 112 },
    { paths: ['/42770/*/2', '/4/0/2'], composite: true },
    { paths: ['/4/0/2'], exclude: true },
  ],
};

describe('the form of a policy', () => {
  it('has all that a policy says, and gives it back', () => {
    const { body, faults } = policyOfForm(formOfPolicy(meters));
    expect(faults.size).toBe(0);
    expect(body).toEqual(meters);
  });

  it('leaves out what is empty, and takes decimal commas and true minus signs', () => {
    const { body, faults } = policyOfForm({
      ...emptyPolicy,
      name: ' Tank ',
      observations: [{ ...emptyWanted, paths: ' /3303/0/5700 ,/3/0/9 ', attributes: { gt: '−2,5' } }],
    });
    expect(faults.size).toBe(0);
    expect(body).toEqual({
      name: 'Tank',
      enabled: true,
      devices: {},
      observations: [{ paths: ['/3303/0/5700', '/3/0/9'], attributes: { gt: -2.5 } }],
    });
  });

  it.each([
    ['name', { name: '' }],
    ['object', { object: 'three' }],
    ['object', { object: '70000' }],
    ['0.paths', { observations: [{ ...emptyWanted, paths: '' }] }],
    ['0.paths', { observations: [{ ...emptyWanted, paths: '3/0/9' }] }],
    ['0.paths', { observations: [{ ...emptyWanted, paths: '/*/0/9' }] }],
    ['0.pmin', { observations: [{ ...emptyWanted, paths: '/3', attributes: { pmin: '1.5' } }] }],
    ['0.lt', { observations: [{ ...emptyWanted, paths: '/3', attributes: { lt: 'low' } }] }],
    ['0.contentFormat', { observations: [{ ...emptyWanted, paths: '/3', contentFormat: 'TLV' }] }],
  ])('names the field %s that has to be mended in %o', (field, wrong) => {
    expect([...policyOfForm({ ...formOfPolicy(meters), ...wrong }).faults.keys()]).toEqual([field]);
  });
});

describe('a policy as JSON', () => {
  it('is taken as it is', () => {
    expect(policyOfJson(JSON.stringify(meters))).toEqual(meters);
  });

  it.each([
    ['{\n  "name": "x",\n  oops\n}', /^Line 3: /],
    ['[]', /is an object/],
    ['{"observations": []}', /"name"/],
    ['{"name": "x"}', /"observations"/],
    ['{"name": "x", "observations": [{}]}', /"paths"/],
    ['{"name": "x", "observations": [null]}', /"paths"/],
  ])('says what is wrong with %s', (text, fault) => {
    const found = policyOfJson(text);
    expect('fault' in found ? found.fault : '').toMatch(fault);
  });
});

describe('a policy in words', () => {
  it('tells the devices that it is for', () => {
    expect(selectorText({})).toBe('all devices');
    expect(selectorText({ manufacturer: 'Acme*', object: 3 })).toBe('manufacturer Acme*, object 3 listed');
  });

  it('tells what is wanted', () => {
    expect(meters.observations.map(wantedText)).toEqual([
      '/3/0/9 (pmin 60, pmax 3600, gt -4.5)',
      '/42770/*/2 + /4/0/2',
      'not /4/0/2',
    ]);
  });
});
