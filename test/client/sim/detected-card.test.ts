import { afterEach, describe, expect, it } from 'vitest';
import { CardSession } from '../../../client/sim/card-session.ts';
import { DetectedCard, type DetectedCardOptions } from '../../../client/sim/detected-card.ts';
import { LegacyApplet } from '../../../client/sim/virtual-card/applet-legacy.ts';
import { installApplications } from '../../../client/sim/virtual-card/applications.ts';
import { type CardMemory, volatileCardMemory } from '../../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';
import { Network } from '../../support/sim/applet-world.ts';

const clock = new FakeClock();
const gateway = { address: '192.0.2.7', port: 6001 };
const faults: unknown[] = [];
let lines: string[];

function virtualCard(kind: 'euicc' | 'applet' | 'legacy', memory: CardMemory = volatileCardMemory()) {
  const card = new VirtualCard({ serial: 42, kind, clock, memory });
  installApplications(card, kind === 'euicc' ? undefined : gateway);
  return card;
}

function detected(transport: VirtualCard, options: Partial<DetectedCardOptions> = {}): DetectedCard {
  lines = [];
  return new DetectedCard({
    transport,
    session: new CardSession(transport),
    clock,
    kind: 'auto',
    gateway,
    openChannel: new Network().open,
    log: (line) => lines.push(line),
    onFault: (error) => faults.push(error),
    ...options,
  });
}

afterEach(() => expect(faults).toEqual([]));

describe('a card of which nobody said what it is', () => {
  it.each(['euicc', 'applet', 'legacy'] as const)('is found to be %s, and switches', async (kind) => {
    const virtual = virtualCard(kind);
    const card = detected(virtual);
    await card.connect();
    expect(card.kind).toBe(kind);
    const verizon = (await card.carriers()).find(({ name }) => name === 'Verizon');
    if (verizon === undefined) throw new Error('no Verizon');
    await card.enable(verizon);
    const current = await card.current();
    expect(current?.carrierId).toBe(2);
    expect(current?.iccid).toBe(virtual.profiles[kind === 'legacy' ? 0 : 2]?.iccid);
    await card.close();
  });

  it('is told of in words where it is not what was there before', async () => {
    const card = detected(virtualCard('legacy'));
    await card.connect();
    expect(lines).toEqual([
      'the card has the old carrier applet: it acknowledges, and its ICCID does not change',
    ]);
    await card.close();
  });

  it('may be another when it is put back: the old applet is polled no more', async () => {
    const virtual = virtualCard('legacy');
    const card = detected(virtual);
    await card.connect();
    const applet = virtualCard('applet');
    virtual.connect = () => applet.connect();
    virtual.transmit = (bytes) => applet.transmit(bytes);
    await card.connect();
    expect(card.kind).toBe('applet');
    const told = lines.length;
    await clock.run(5_000);
    expect(lines.slice(told)).toEqual([]);
    await card.close();
  });

  it('tells once that it was pulled and put back, whoever of the drivers heard it', async () => {
    const virtual = virtualCard('applet');
    const card = detected(virtual);
    const events: string[] = [];
    card.onChanged((event) => events.push(event));
    await card.connect();
    virtual.faults.absent = true;
    virtual.faults.absent = false;
    expect(events).toEqual(['removed', 'inserted']);
    await card.close();
  });

  it('is what was said where it was said', async () => {
    const virtual = virtualCard('euicc');
    const card = detected(virtual, { kind: 'applet' });
    await card.connect();
    expect(card.kind).toBe('applet');
    await expect(card.carriers()).rejects.toThrow('6A82');
    await card.close();
  });
});

describe('applications of a virtual card', () => {
  it('an eUICC has the carrier applet where it was given a gateway once', async () => {
    const memory = volatileCardMemory();
    const first = new VirtualCard({ serial: 42, kind: 'euicc', clock, memory });
    installApplications(first, gateway);
    const again = new VirtualCard({ serial: 42, clock, memory });
    installApplications(again);
    const session = new CardSession(again);
    await session.connect();
    const { carrierAppletAid } = await import('../../../client/sim/applet/applet-apdu.ts');
    await session.onApplication('the applet', carrierAppletAid, async () => {});
    await again.close();
  });

  it('what the old applet kept is checked', () => {
    const memory = volatileCardMemory();
    const card = new VirtualCard({ serial: 42, kind: 'legacy', clock, memory });
    const contents = memory.read();
    if (contents === undefined) throw new Error('nothing was kept');
    memory.write({ ...contents, applications: { F04C454741435901: 'Verizon' } });
    const again = new VirtualCard({ serial: 42, clock, memory });
    expect(() => again.install(new LegacyApplet())).toThrow('no carrier');
    expect(card.kind).toBe('legacy');
  });
});
