import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { identifierKinds, isMasked, maskIdentifier } from '../../../objects/identifiers.ts';
import { type IdentifierKind, identifierKindOf, identifierText } from '../../../web/data/identifiers.ts';
import { identifierAt, valueText } from '../../../web/data/last-values.ts';

const web = fileURLToPath(new URL('../../../web', import.meta.url));

describe('identifiers', () => {
  it.each<[IdentifierKind, string, string, masked: string]>([
    ['iccid', '89014103211118510720', '8901 4103 2111 1851 0720', '8901 410• •••• •••• ••••'],
    ['iccid', '8901410321111851072', '8901 4103 2111 1851 072', '8901 410• •••• •••• •••'],
    ['imei', '353000000007919', '35 300000 000791 9', '35 300000 •••••• •'],
    ['imei', 'x', 'x', '•'],
    ['msisdn', '+4915112345678', '+4915112345678', '+491••••••••••'],
    ['msisdn', '12025550123', '12025550123', '120••••••••'],
    [
      'eid',
      '89033023426300000000000000000001',
      '8903 3023 4263 0000 0000 0000 0000 0001',
      '8903 3023 •••• •••• •••• •••• •••• ••••',
    ],
    ['imsi', '310410123456789', '310 410 123456789', '310 410 •••••••••'],
    ['imsi', '262011234567890', '262 01 1234567890', '262 01 ••••••••••'],
    ['imsi', 'short', 'short', '•••••'],
    ['imsi', '', '', ''],
  ])(
    'writes the %s %s in its groups, and masked without what names the subscriber',
    (kind, value, text, masked) => {
      expect(identifierText(kind, value)).toBe(text);
      const hidden = maskIdentifier(kind, value);
      expect(identifierText(kind, hidden)).toBe(masked);
      expect(isMasked(hidden)).toBe(value !== '');
      expect(isMasked(value)).toBe(false);
    },
  );

  it('never shows the end of one that is masked', () => {
    for (const kind of identifierKinds) {
      expect(identifierText(kind, maskIdentifier(kind, '123456789012345'))).not.toMatch(/5$/);
    }
  });

  it.each([
    ['ICCID', 'iccid'],
    ['Integrated Circuit Card Identifier (ICCID)', 'iccid'],
    ['Selected ICCID for RSP operation', 'iccid'],
    ['IMSI', 'imsi'],
    ['Device IMEI', 'imei'],
    ['MSISDN', 'msisdn'],
    ['eUICC ID', 'eid'],
    ['Battery Level', undefined],
    [undefined, undefined],
  ])('tells by the title %s what a resource holds', (title, kind) => {
    expect(identifierKindOf(title)).toBe(kind);
  });

  it('finds them by their paths', () => {
    expect(identifierAt('/42769/0/8')).toBe('imsi');
    expect(identifierAt('/504/0/11/0')).toBe('iccid');
    expect(identifierAt('/3/0/9')).toBeUndefined();
    expect(valueText('/504/0/11/0', '8901410321111851072')).toBe('8901 4103 2111 1851 072');
  });

  it('are shown by sy-identifier and by nothing else', async () => {
    const sources = (await readdir(web, { recursive: true })).filter(
      (name) => name.endsWith('.ts') && !name.startsWith('dist'),
    );
    expect(sources).toContain(join('elements', 'sy-identifier.ts'));
    for (const name of sources) {
      const text = await readFile(join(web, name), 'utf8');
      // The innermost expression of a template that has one in it, other than as the value of the element that shows it.
      const shown = [...text.matchAll(/[^\s]*\$\{[^{}]*\.(iccid|imsi|imei)\b[^{}]*\}/gi)].map(
        ([match]) => match,
      );
      const bare = shown.filter((match) => !match.startsWith('.value=${'));
      expect([name, ...bare]).toEqual([name]);
      if (/identifierText/.test(text)) {
        expect(['data/identifiers.ts', 'data/last-values.ts', 'elements/sy-identifier.ts']).toContain(name);
      }
    }
  });
});
