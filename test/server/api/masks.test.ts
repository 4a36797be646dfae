import { describe, expect, test } from 'vitest';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { identifierMask } from '../../../server/api/masks.ts';

const mask = identifierMask(createObjectRegistry(standardObjects()));
const iccid = '8901410321111851072';
const imsi = '310410123456789';
const imei = '353000000007919';
const hiddenIccid = '8901410••••••••••••';
const hiddenImsi = '310410•••••••••';
const hiddenImei = '35300000•••••••';

describe('identifiers are hidden', () => {
  test('in a device, by the names of members', () => {
    const device = {
      endpoint: 'm',
      iccid,
      imsi,
      imei,
      msisdn: '+4915112345678',
      eid: '89033023426300000000000000000001',
    };
    expect(mask({ items: [device], total: 1, next: null })).toEqual({
      items: [
        {
          endpoint: 'm',
          iccid: hiddenIccid,
          imsi: hiddenImsi,
          imei: hiddenImei,
          msisdn: '+491••••••••••',
          eid: '89033023••••••••••••••••••••••••',
        },
      ],
      total: 1,
      next: null,
    });
  });

  test('in a serial number that is the IMEI, and in no other one', () => {
    expect(mask({ serialNumber: imei, imei })).toEqual({ serialNumber: hiddenImei, imei: hiddenImei });
    expect(mask({ serialNumber: 'SN-1', imei })).toEqual({ serialNumber: 'SN-1', imei: hiddenImei });
  });

  test('in what is read, by what resources are', () => {
    const answer = {
      path: '/42769/0',
      contentFormat: 112,
      items: [
        { path: '/42769/0/0', value: 'AT&T', name: 'Current Carrier' },
        { path: '/42769/0/7', value: iccid },
        { path: '/42769/0/8', value: imsi },
        { path: '/504/0/11/0', value: iccid },
        { path: '/504/0/12', value: '89033023426300000000000000000001' },
        { path: '/3/0/9', value: 95 },
      ],
    };
    expect(mask(answer).items.map(({ value }) => value)).toEqual([
      'AT&T',
      hiddenIccid,
      hiddenImsi,
      hiddenIccid,
      '89033023••••••••••••••••••••••••',
      95,
    ]);
    expect(mask({ path: '/42769/0/8', value: imsi, items: [{ path: '/42769/0/8', value: imsi }] })).toEqual({
      path: '/42769/0/8',
      value: hiddenImsi,
      items: [{ path: '/42769/0/8', value: hiddenImsi }],
    });
  });

  test('in readings, live and stored, and their times stay', () => {
    expect(
      mask({ endpoint: 'm', series: [{ path: '/42769/0/8', points: [[1_700_000_000_000.5, imsi]] }] }),
    ).toEqual({
      endpoint: 'm',
      series: [{ path: '/42769/0/8', points: [[1_700_000_000_000.5, hiddenImsi]] }],
    });
    expect(mask({ items: [{ path: '/42769/0/7', value: iccid, takenAt: 1 }] })).toEqual({
      items: [{ path: '/42769/0/7', value: hiddenIccid, takenAt: 1 }],
    });
  });

  test('in events, and in commands with what they write and what they found', () => {
    expect(mask({ type: 'device', data: { attributes: { iccid, carrier: 'AT&T' } } })).toEqual({
      type: 'device',
      data: { attributes: { iccid: hiddenIccid, carrier: 'AT&T' } },
    });
    const command = {
      kind: 'request',
      parameters: { operation: 'write', path: '/42769/0', values: { 8: imsi, 0: 'x' } },
      result: { path: '/42769/0/8', value: imsi, items: [{ path: '/42769/0/8', value: imsi }] },
    };
    expect(mask(command)).toMatchObject({
      parameters: { values: { 8: hiddenImsi, 0: 'x' } },
      result: { value: hiddenImsi, items: [{ value: hiddenImsi }] },
    });
    expect(mask({ operation: 'write-composite', values: { '/42769/0/8': imsi, '/3/0/14': '+1' } })).toEqual({
      operation: 'write-composite',
      values: { '/42769/0/8': hiddenImsi, '/3/0/14': '+1' },
    });
    expect(mask({ slots: [{ slot: 0, iccid, imsi, available: [{ id: 0, name: 'AT&T' }] }] })).toEqual({
      slots: [{ slot: 0, iccid: hiddenIccid, imsi: hiddenImsi, available: [{ id: 0, name: 'AT&T' }] }],
    });
  });

  test('where they are numbers, and nothing else changes', () => {
    expect(mask({ path: '/42769/0/8', value: 310410123456789 })).toEqual({
      path: '/42769/0/8',
      value: hiddenImsi,
    });
    const rest = {
      path: '/3303/0/5700',
      value: 21.5,
      last: 'x',
      list: [1, null, true, 'text'],
      nothing: null,
      counts: { 1: 2 },
      path2: { path: 7 },
    };
    expect(mask(rest)).toEqual(rest);
    expect(mask(null)).toBeNull();
    expect(mask('text')).toBe('text');
    expect(mask(new Uint8Array([1]))).toEqual(new Uint8Array([1]));
  });

  test('in a resource whose definition people loaded, by its title', () => {
    const own = identifierMask({
      resource: (object: number, resource: number) =>
        object === 30000 && resource === 1 ? ({ title: 'Modem IMEI' } as never) : undefined,
    });
    expect(own({ path: '/30000/0/1', value: imei })).toEqual({ path: '/30000/0/1', value: hiddenImei });
    expect(own({ path: '/30000/0/2', value: imei })).toEqual({ path: '/30000/0/2', value: imei });
  });
});

describe('secrets of objects are hidden', () => {
  test('in what is read, and in what a command writes', () => {
    expect(mask({ path: '/11/0', items: [{ path: '/11/0/6', value: 'apnsecret' }] })).toEqual({
      path: '/11/0',
      items: [{ path: '/11/0/6', value: '••••••' }],
    });
    expect(mask({ parameters: { operation: 'write', path: '/11/0/6', value: 'apnsecret' } })).toEqual({
      parameters: { operation: 'write', path: '/11/0/6', value: '••••••' },
    });
    expect(
      mask({ parameters: { operation: 'write', path: '/11/0', values: { 5: 'apn', 6: 'apnsecret' } } }),
    ).toEqual({ parameters: { operation: 'write', path: '/11/0', values: { 5: 'apn', 6: '••••••' } } });
  });

  test('and nothing that only sounds like them', () => {
    const shown = { items: [{ path: '/3/0/9', value: 80 }] };
    expect(mask(shown)).toEqual(shown);
  });
});
