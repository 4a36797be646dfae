import { describe, expect, it } from 'vitest';
import { CardSession } from '../../../../client/sim/card-session.ts';
import {
  appletOf,
  carrierLines,
  carriersAsJson,
  switchCarrier,
} from '../../../../client/sim/cli/carriers.ts';
import type { CardKind } from '../../../../client/sim/virtual-card/card-contents.ts';
import { openVirtualCard } from '../../../../client/sim/virtual-card/open-virtual-card.ts';
import { RequestError } from '../../../../protocol/errors.ts';

async function open(kind: CardKind) {
  const transport = openVirtualCard(undefined, { serial: 42, kind });
  const atr = await transport.connect();
  const session = new CardSession(transport);
  return { virtual: transport, card: await appletOf({ atr, transport, session }) };
}

async function openApplet(kind: CardKind) {
  const { virtual, card } = await open(kind);
  if (card === undefined) throw new Error('no applet was found');
  return { virtual, card };
}

describe('a card whose applet switches, at the command line', () => {
  it('is no eUICC', async () => {
    expect((await open('euicc')).card).toBeUndefined();
  });

  it('lists its carriers, and the one that is in use', async () => {
    const { virtual, card } = await openApplet('applet');
    const [att, tmobile, verizon] = virtual.profiles.map(({ iccid }) => iccid);
    expect(await carrierLines(card)).toEqual([
      `0  in use  ${att}  AT&T`,
      `1          ${tmobile}  T-Mobile`,
      `2          ${verizon}  Verizon`,
    ]);
    expect(JSON.parse(await carriersAsJson(card))).toMatchObject({
      carriers: [{ id: 0, name: 'AT&T', iccid: att }, { id: 1 }, { id: 2 }],
      current: { carrierId: 0, iccid: att },
    });
  });

  it.each(['Verizon', 'verizon', '2'])('switches to %s', async (wanted) => {
    const { virtual, card } = await openApplet('applet');
    const lines: string[] = [];
    await switchCarrier(card, wanted, (line) => lines.push(line));
    expect(lines).toEqual([
      `before: AT&T, ICCID ${virtual.profiles[0]?.iccid}`,
      `now:    Verizon, ICCID ${virtual.profiles[2]?.iccid}`,
    ]);
    expect(virtual.enabledProfile?.name).toBe('Verizon');
  });

  it('leaves its carrier, and knows no other', async () => {
    const { card } = await openApplet('applet');
    const lines: string[] = [];
    await switchCarrier(card, 'none', (line) => lines.push(line));
    expect(lines.at(-1)).toBe('now:    no carrier');
    await expect(switchCarrier(card, 'Vodafone', () => {})).rejects.toThrow(RequestError);
  });

  it('says of the old applet that its ICCID did not change', async () => {
    const { virtual, card } = await openApplet('legacy');
    const lines: string[] = [];
    await switchCarrier(card, 'Verizon', (line) => lines.push(line));
    const iccid = virtual.profiles[0]?.iccid;
    expect(lines).toEqual([
      `before: AT&T, ICCID ${iccid}`,
      `now:    Verizon, ICCID ${iccid}`,
      `the applet acknowledged; the ICCID of the card did not change (${iccid})`,
    ]);
    expect((await carrierLines(card))[2]).toBe('2  in use  ICCID not told  Verizon');
  });
});
