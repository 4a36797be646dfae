import { describe, expect, it } from 'vitest';
import { valueParts } from '../../../web/data/value-parts.ts';
import { resource } from '../support/models.ts';

describe('a value in full', () => {
  it.each([
    ['integer', 80, { kind: 'text', text: '80' }],
    ['integer', -93, { kind: 'text', text: '−93' }],
    ['unsigned', '18446744073709551615', { kind: 'text', text: '18446744073709551615' }],
    ['boolean', true, { kind: 'text', text: 'true' }],
    ['string', '', { kind: 'text', text: '' }],
    ['time', 1_780_315_200, { kind: 'time', at: 1_780_315_200_000 }],
    ['objlnk', '3:0', { kind: 'link', text: '3:0', path: '/3/0' }],
    ['objlnk', '65535:65535', { kind: 'link', text: '65535:65535', path: undefined }],
    ['opaque', '', { kind: 'bytes', length: 0, lines: [] }],
  ] as const)('of a %s: %j', (type, value, parts) => {
    expect(valueParts(resource(type), value)).toEqual(parts);
  });

  it('has its unit, and what it means', () => {
    expect(valueParts(resource('integer', { units: 'dBm' }), -93)).toEqual({
      kind: 'text',
      text: '−93\u202fdBm',
    });
    expect(valueParts(resource('integer', { values: { '1': 'on' } }), 1)).toEqual({
      kind: 'text',
      text: '1',
      more: 'on',
    });
  });

  it('is shown as it is where nothing defines it', () => {
    expect(valueParts(undefined, 'deadbeef')).toEqual({ kind: 'text', text: 'deadbeef' });
  });

  it('of bytes is a dump of sixteen a line, with what can be printed of them', () => {
    const hex = `48656c6c6f${'00'.repeat(11)}ff7e`;
    expect(valueParts(resource('opaque'), hex)).toEqual({
      kind: 'bytes',
      length: 18,
      lines: [
        { offset: '0000', hex: '48 65 6c 6c 6f 00 00 00 00 00 00 00 00 00 00 00', text: 'Hello...........' },
        { offset: '0010', hex: 'ff 7e', text: '.~' },
      ],
    });
  });

  it('of very many bytes begins like them, and says how many they are', () => {
    const parts = valueParts(resource('opaque'), 'ab'.repeat(100), 32);
    expect(parts).toMatchObject({ kind: 'bytes', length: 100 });
    expect(parts.kind === 'bytes' && parts.lines).toHaveLength(2);
  });
});
