import { describe, expect, it } from 'vitest';
import { RequestError } from '../../../protocol/errors.ts';
import { parseLinks } from '../../../protocol/lwm2m/link-format.ts';
import { defaultPolicies } from '../../../server/lwm2m/default-policies.ts';
import {
  checkAttributes,
  MAX_DESIRED_PATHS,
  PolicySet,
  type PolicySubject,
  parseTemplate,
} from '../../../server/lwm2m/desired-observations.ts';
import type { ObservationChoice, ObservationPolicy } from '../../../server/ports/observation-policy-store.ts';

const subject = (links: string, change: Partial<PolicySubject> = {}): PolicySubject => ({
  endpoint: 'modem-1',
  version: '1.1',
  links: parseLinks(links),
  ...change,
});

let made = 0;
const policy = (
  observations: ObservationPolicy['observations'],
  devices: ObservationPolicy['devices'] = {},
  change: Partial<ObservationPolicy> = {},
): ObservationPolicy => ({
  id: `p${++made}`,
  name: 'P',
  enabled: true,
  devices,
  observations,
  createdAt: 1,
  updatedAt: 1,
  ...change,
});
const choice = (path: string, change: Partial<ObservationChoice> = {}): ObservationChoice => ({
  paths: [path],
  composite: false,
  wanted: true,
  chosenAt: 5,
  ...change,
});
const desired = (
  policies: readonly ObservationPolicy[],
  of: PolicySubject,
  choices: readonly ObservationChoice[] = [],
) => new PolicySet(policies, new Set(['default'])).desired(of, choices);
const keys = (...args: Parameters<typeof desired>) => desired(...args).wanted.map(({ key }) => key);

describe('a template', () => {
  const links = '</3/0>,</42770/0>,</42770/7>,</5>';

  it.each([
    ['/42770/*/2', ['/42770/0/2', '/42770/7/2']],
    ['/42770/*', ['/42770/0', '/42770/7']],
    ['/42770/7/2', ['/42770/7/2']],
    ['/42770/1/2', []],
    ['/42770', ['/42770']],
    ['/3/0/7/0', ['/3/0/7/0']],
    ['/5', ['/5']],
    ['/5/*', []],
    ['/6', []],
  ])('%s leads to %j', (template, paths) => {
    expect(keys([policy([{ paths: [template] }])], subject(links))).toEqual(paths);
  });

  it.each(['', '/', '3/0', '/*', '/3/0/*', '/65535/0', '/3//9', '/3/0/9/0/1', '/3/*x'])(
    '%o is none',
    (text) => expect(() => parseTemplate(text)).toThrow(RequestError),
  );
});

describe('what is desired of a device', () => {
  it('is the union of all policies that are for it', () => {
    const policies = [
      policy([{ paths: ['/3/0/9'] }]),
      policy([{ paths: ['/4/*/2'] }]),
      policy([{ paths: ['/6'] }]),
    ];
    expect(new Set(keys(policies, subject('</3/0>,</4/0>')))).toEqual(new Set(['/3/0/9', '/4/0/2']));
  });

  it('leaves out policies that are switched off', () => {
    expect(keys([policy([{ paths: ['/3/0/9'] }], {}, { enabled: false })], subject('</3/0>'))).toEqual([]);
  });

  it.each([
    [{ endpoint: 'modem-*' }, true],
    [{ endpoint: 'Modem-*' }, false],
    [{ endpoint: 'modem-1' }, true],
    [{ manufacturer: 'ACME *' }, true],
    [{ model: 'x-?' }, true],
    [{ model: 'y' }, false],
    [{ object: 3 }, true],
    [{ object: 42770 }, false],
    [{ object: 3, model: 'y' }, false],
    [{}, true],
  ])('of devices %j: %s', (devices, is) => {
    const of = subject('</3/0>', { manufacturer: 'Acme Ltd', model: 'X-1' });
    expect(keys([policy([{ paths: ['/3/0/9'] }], devices)], of)).toEqual(is ? ['/3/0/9'] : []);
  });

  it('is nothing by model where the model is not known yet', () => {
    const set = new PolicySet([policy([{ paths: ['/3/0/9'] }], { model: '*' })], new Set());
    expect(set.desired(subject('</3/0>')).wanted).toEqual([]);
    expect(set.needsAttributes).toBe(true);
  });

  it('of two policies has the attributes and the format of the narrower one, as a whole', () => {
    const wide = policy([{ paths: ['/3/0/9'], attributes: { pmin: 1, pmax: 2 } }], { object: 3 });
    const narrow = policy([{ paths: ['/3/0/9'], attributes: { gt: 5 }, contentFormat: 112 }], {
      endpoint: 'modem-*',
    });
    for (const policies of [
      [wide, narrow],
      [narrow, wide],
    ]) {
      const [only, ...more] = desired(policies, subject('</3/0>')).wanted;
      expect(only).toMatchObject({ attributes: { gt: 5 }, contentFormat: 112, policy: { id: narrow.id } });
      expect(more).toEqual([]);
    }
  });

  it.each([
    [{ endpoint: 'modem-1' }, { endpoint: 'modem-?', model: 'x', manufacturer: 'm', object: 3 }],
    [{ endpoint: 'm*' }, { model: 'x', manufacturer: 'm', object: 3 }],
    [{ model: 'x' }, { manufacturer: 'm', object: 3 }],
    [{ manufacturer: 'm' }, { object: 3 }],
    [{ object: 3 }, {}],
  ])('%j is narrower than %j', (narrow, wide) => {
    const policies = [
      policy([{ paths: ['/3/0/9'], contentFormat: 110 }], wide, { updatedAt: 9 }),
      policy([{ paths: ['/3/0/9'], contentFormat: 112 }], narrow),
    ];
    const of = subject('</3/0>', { manufacturer: 'm', model: 'x' });
    expect(desired(policies, of).wanted[0]?.contentFormat).toBe(112);
  });

  it('of policies that are equally narrow has what was changed last', () => {
    const older = policy([{ paths: ['/3/0/9'], contentFormat: 110 }], {}, { updatedAt: 1 });
    const newer = policy([{ paths: ['/3/0/9'], contentFormat: 112 }], {}, { updatedAt: 2 });
    expect(desired([newer, older], subject('</3/0>')).wanted[0]?.contentFormat).toBe(112);
  });

  it('prefers any policy of an operator to what the server brings along', () => {
    const builtIn = policy(
      [{ paths: ['/3/0/9'], contentFormat: 110 }],
      { endpoint: 'modem-1' },
      { id: 'default', updatedAt: 9 },
    );
    const operators = policy([{ paths: ['/3/0/9'], contentFormat: 112 }]);
    expect(desired([builtIn, operators], subject('</3/0>')).wanted[0]?.contentFormat).toBe(112);
  });

  it('within a policy prefers the path that names its instance', () => {
    const one = policy([
      { paths: ['/42770/*/2'], attributes: { pmin: 10 } },
      { paths: ['/42770/3/2'], attributes: { pmin: 1 } },
    ]);
    const { wanted } = desired([one], subject('</42770/0>,</42770/3>'));
    expect(wanted.map(({ key, attributes }) => [key, attributes?.pmin])).toEqual([
      ['/42770/3/2', 1],
      ['/42770/0/2', 10],
    ]);
  });

  it('prefers what a person chose to every policy', () => {
    const by = policy([{ paths: ['/3/0/9'], contentFormat: 110 }], { endpoint: 'modem-1' });
    const chosen = choice('/3/0/9', { contentFormat: 0, attributes: { pmin: 3 } });
    const [only, ...more] = desired([by], subject('</3/0>'), [chosen]).wanted;
    expect(only).toMatchObject({ key: '/3/0/9', contentFormat: 0, attributes: { pmin: 3 }, since: 5 });
    expect(only).not.toHaveProperty('policy');
    expect(more).toEqual([]);
  });

  it('has what a person chose even where the device does not list it', () => {
    expect(keys([], subject('</3/0>'), [choice('/3303/0/5700')])).toEqual(['/3303/0/5700']);
  });

  it('has not what a person ended, and tells so', () => {
    const by = policy([{ paths: ['/42770/*/2'] }]);
    const { wanted, suppressed } = desired([by], subject('</42770/0>,</42770/1>'), [
      choice('/42770/1/2', { wanted: false }),
    ]);
    expect(wanted.map(({ key }) => key)).toEqual(['/42770/0/2']);
    expect(suppressed).toEqual([{ paths: ['/42770/1/2'], key: '/42770/1/2' }]);
  });

  it('has not what a stronger policy rules out; a choice is stronger still', () => {
    const wide = policy([{ paths: ['/4/*/2'] }]);
    const narrow = policy([{ paths: ['/4/0/2'], exclude: true }], { model: 'quiet' });
    const of = subject('</4/0>', { model: 'quiet' });
    const { wanted, suppressed } = desired([wide, narrow], of);
    expect(wanted).toEqual([]);
    expect(suppressed).toMatchObject([{ key: '/4/0/2', policy: { id: narrow.id } }]);
    expect(keys([wide, narrow], of, [choice('/4/0/2')])).toEqual(['/4/0/2']);
  });

  it('is one composite observation of several paths, each that the device lists', () => {
    const by = policy([{ paths: ['/42770/*/2', '/4/0/2', '/6/0/0'], attributes: { pmin: 1 } }]);
    const { wanted } = desired([by], subject('</4/0>,</42770/0>,</42770/1>'));
    expect(wanted).toMatchObject([
      { paths: ['/42770/0/2', '/42770/1/2', '/4/0/2'], composite: true, attributes: { pmin: 1 } },
    ]);
  });

  it('is single observations of a 1.0 device, which has no composite ones', () => {
    const by = policy([{ paths: ['/42770/*/2', '/4/0/2'] }]);
    const old = subject('</4/0>,</42770/0>', { version: '1.0' });
    expect(keys([by], old)).toEqual(['/42770/0/2', '/4/0/2']);
    expect(desired([by], old).wanted[0]).not.toHaveProperty('composite');
  });

  it("has the attributes that the device's version knows", () => {
    const by = policy([{ paths: ['/3/0/9'], attributes: { pmin: 1, epmin: 2, con: 1 } }]);
    const attributes = (version: string) =>
      desired([by], subject('</3/0>', { version })).wanted[0]?.attributes;
    expect(attributes('1.0')).toEqual({ pmin: 1 });
    expect(attributes('1.1')).toEqual({ pmin: 1, epmin: 2 });
    expect(attributes('1.2')).toEqual({ pmin: 1, epmin: 2, con: 1 });
    const late = policy([{ paths: ['/3/0/9'], attributes: { con: 1 } }]);
    expect(desired([late], subject('</3/0>')).wanted[0]).not.toHaveProperty('attributes');
  });

  it('is bounded in what it costs, too, with many policies for a device that lists thousands of instances', () => {
    const links = Array.from({ length: 4096 }, (_, id) => `</42770/${id}>`).join();
    const wide = (exclude: boolean, composite = false) =>
      policy(Array.from({ length: 8 }, (_, id) => ({ paths: [`/42770/*/${id}`], exclude, composite })));
    const narrow = { object: 42770 };
    const ruledOut = { ...wide(true), devices: narrow };
    const { wanted, suppressed, beyondLimit } = desired([ruledOut, wide(false)], subject(links));
    expect([wanted.length, suppressed.length]).toEqual([0, 1024]);
    expect(beyondLimit).toBe(0);
    expect(desired([wide(false)], subject(links))).toMatchObject({
      beyondLimit: 8 * 4096 - MAX_DESIRED_PATHS,
    });
    expect(desired([wide(false, true)], subject(links))).toMatchObject({ wanted: [], beyondLimit: 8 });
  });

  it('is told of thousands of policies without writing out what is beyond the limit', () => {
    const links = Array.from({ length: 4096 }, (_, id) => `</42770/${id}>`).join();
    const named = Array.from({ length: 320 }, (_, round) =>
      policy(Array.from({ length: 100 }, (_, id) => ({ paths: [`/42770/*/${(round % 4) * 100 + id}`] }))),
    );
    const { wanted, suppressed, beyondLimit } = desired(named, subject(links));
    expect([wanted.length, suppressed.length]).toEqual([MAX_DESIRED_PATHS, 0]);
    // Of what many policies want each is counted once.
    expect(beyondLimit).toBe(400 * 4096 - MAX_DESIRED_PATHS);
  });

  it('counts of what is beyond the limit neither what a person ended nor what was chosen', () => {
    const links = Array.from({ length: 600 }, (_, id) => `</42770/${id}>`).join();
    const ended = { ...choice('/42770/598/2'), wanted: false };
    const choices = [choice('/42770/599/2'), choice('/42770/700/2'), ended];
    const { beyondLimit } = desired([policy([{ paths: ['/42770/*/2'] }])], subject(links), choices);
    expect(beyondLimit).toBe(600 - 1 - (MAX_DESIRED_PATHS - 1));
  });

  it('is bounded, however much a device lists; what was chosen comes first', () => {
    const links = Array.from({ length: 600 }, (_, id) => `</42770/${id}>`).join(',');
    const { wanted, beyondLimit } = desired([policy([{ paths: ['/42770/*/2'] }])], subject(links), [
      choice('/42770/599/2'),
    ]);
    expect(wanted).toHaveLength(MAX_DESIRED_PATHS);
    expect(wanted[0]?.key).toBe('/42770/599/2');
    expect(beyondLimit).toBe(600 - MAX_DESIRED_PATHS);
  });
});

describe('the policies that the server brings along', () => {
  it('want carriers, sensor values, signal strength and SIM profiles', () => {
    const set = new PolicySet(defaultPolicies(42769, 42770), new Set());
    const of = subject('</3/0>,</4/0>,</42769/0>,</42770/0>,</42770/1>');
    expect(new Set(set.desired(of).wanted.map(({ key }) => key))).toEqual(
      new Set(['/42769/0', '/42770/0/2', '/42770/1/2', '/4/0/2']),
    );
    expect(set.matching(of)).toHaveLength(4);
  });
});

describe('attributes', () => {
  it('that cannot be, or contradict each other, are refused', () => {
    expect(() => checkAttributes({ pmin: 1, pmax: 60, con: 1 })).not.toThrow();
    expect(() => checkAttributes({ pmin: 1.5 })).toThrow(RequestError);
    expect(() => checkAttributes({ pmin: 60, pmax: 1 })).toThrow('pmax (1) is less than pmin (60)');
  });
});
