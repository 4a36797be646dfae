import { describe, expect, it } from 'vitest';
import { problems } from '../../../server/api/problems.ts';
import type { ApiCommand } from '../../../web/data/api-types.ts';
import { formatName } from '../../../web/data/content-formats.ts';
import { DeviceOperations } from '../../../web/data/device-operations.ts';
import { helpedCodes, helpFor } from '../../../web/data/request-help.ts';
import {
  answerParts,
  type LoggedRequest,
  outcomeDetail,
  outcomeText,
} from '../../../web/data/request-log.ts';

const operations = new DeviceOperations('modem-1');
const request = (change: Partial<LoggedRequest>): LoggedRequest => ({
  id: 1,
  operation: operations.read('/3/0/9'),
  held: false,
  startedAt: 5,
  state: 'running',
  ...change,
});

const command = (state: ApiCommand['state'], change: Partial<ApiCommand> = {}): ApiCommand => ({
  id: 'c1',
  endpoint: 'modem-1',
  number: 1,
  kind: 'request',
  parameters: {},
  state,
  attempts: 0,
  createdAt: 5,
  updatedAt: 5,
  expiresAt: 9,
  history: [],
  ...change,
});

const notAllowed = {
  type: 'urn:simyard:problem:device_method_not_allowed',
  title: 'The device does not offer this operation there',
  status: 405,
  code: 'device_method_not_allowed',
  coapCode: '4.05',
};

describe('what has become of a request', () => {
  it.each([
    [{ state: 'running' }, 'in progress…'],
    [{ state: 'given-up' }, 'not waited for any longer'],
    [{ state: 'held', command: command('queued') }, 'held until the device is heard'],
    [{ state: 'held', command: command('sent') }, 'sent…'],
    [
      { state: 'done', answer: { path: '/3/0/9', contentFormat: 112, items: [] } },
      '2.05 Content · SenML CBOR',
    ],
    [{ state: 'done', operation: operations.write('/1/0/1', 5) }, '2.04 Changed'],
    [{ state: 'failed', problem: notAllowed }, '4.05 The device does not offer this operation there'],
    [{ state: 'failed', command: command('expired') }, 'expired'],
    [{ state: 'failed', command: command('failed', { result: { coapCode: '4.04' } }) }, '4.04 failed'],
  ] as const)('%j is told as %s', (change, text) => {
    expect(outcomeText(request(change))).toBe(text);
  });

  it('is explained in the words of the device, with what helps', () => {
    const detail = outcomeDetail(
      request({ state: 'failed', problem: { ...notAllowed, detail: 'read only' } }),
    );
    expect(detail).toBe(`read only — ${helpFor(notAllowed)}`);
    expect(outcomeDetail(request({ state: 'failed', command: command('failed', { reason: 'no' }) }))).toBe(
      'no',
    );
    expect(outcomeDetail(request({ state: 'done' }))).toBeUndefined();
    expect(outcomeDetail(request({ state: 'held', command: command('queued') }))).toContain('next heard');
    expect(outcomeDetail(request({ state: 'given-up' }))).toContain('may have got it');
  });
});

describe('the help for errors', () => {
  it('is for codes that there are', () => {
    const known = [...Object.keys(problems), 'unreachable'];
    expect(helpedCodes.filter((code) => !known.includes(code))).toEqual([]);
  });
});

describe('the parts of an answer', () => {
  it('are values, links, or the place of a new instance', () => {
    const value = { path: '/3/0/9', value: 80 };
    const link = { path: '/3/0', attributes: { pmin: '10' } };
    expect(answerParts({ path: '/3', contentFormat: 112, items: [value] }).values).toEqual([value]);
    expect(answerParts({ items: [link] }).links).toEqual([link]);
    expect(answerParts({ path: '/19/4' }).created).toBe('/19/4');
    expect(answerParts(undefined)).toEqual({ values: [], links: [], created: undefined });
  });
});

describe('a content format', () => {
  it('goes by what people call it, or by its id', () => {
    expect(formatName(11542)).toBe('TLV');
    expect(formatName(110)).toBe('SenML JSON');
    expect(formatName(9999)).toBe('format 9999');
  });
});
