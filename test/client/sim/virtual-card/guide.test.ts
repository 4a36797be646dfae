import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  formatCardContents,
  newCardContents,
  parseCardContents,
} from '../../../../client/sim/virtual-card/card-contents.ts';
import { faultKinds, faultTargets } from '../../../../client/sim/virtual-card/card-faults.ts';
import { parseFault, parseRandomFaults } from '../../../../client/sim/virtual-card/fault-text.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../../docs/guides/virtual-card.md'), 'utf8');

describe('the guide to the virtual card', () => {
  it('has a card file that is one', () => {
    const json = /```json\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
    const card = parseCardContents(JSON.parse(json));
    expect(card.profiles.map(({ name, carrier }) => [name, carrier])).toEqual([
      ['Eins', 0],
      ['Zwei', 4],
    ]);
    expect(card.enabled).toBe(card.profiles[0]?.iccid);
  });

  it('tells every field of a card file', () => {
    const made = newCardContents(1, 0);
    const profiles = made.profiles.map((one) => ({ ...one, sequence: [1], files: { '7FFF6F7E': '00' } }));
    const file = JSON.parse(formatCardContents({ ...made, profiles })) as Record<string, unknown>;
    const [profile] = file.profiles as Record<string, unknown>[];
    const told = [...guide.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, names = '']) => names.split(', '));
    for (const field of Object.keys({ ...file, ...profile })) {
      if (field !== 'format') expect(told).toContain(`\`${field}\``);
    }
  });

  it('tells every fault in the words of the program, and what it writes is understood', () => {
    for (const [kind, meaning] of Object.entries(faultKinds))
      expect(guide).toContain(`| \`${kind}\` | ${meaning} |`);
    for (const target of faultTargets) expect(guide).toContain(target);
    for (const [text] of guide.matchAll(/\brandom:[a-z0-9=.,+]+/g)) parseRandomFaults(text);
    const faults = [...guide.matchAll(/faults --card \S+ (\S+)/g)].map(([, text = '']) => parseFault(text));
    expect(faults).toEqual([{ kind: 'mute', on: 'switch', times: 1 }]);
  });
});
