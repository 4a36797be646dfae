import { afterEach, describe, expect, it } from 'vitest';
import { Code } from '../../../protocol/coap/message.ts';
import { acceptOption, pathOptions } from '../../../protocol/coap/options.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { parseLinks } from '../../../protocol/lwm2m/link-format.ts';
import { registry } from '../../support/client/client-world.ts';
import { ScriptedServer } from '../../support/client/scripted-server.ts';
import { ManagedModem } from './managed-modem.ts';

// The cases of OMA-ETS-LightweightM2M_INT about a device with two servers: this one, and another.

const otherAddress = 'other:5683';
let managed: ManagedModem;
let other: ScriptedServer;
afterEach(() => managed.close());

async function open(): Promise<void> {
  managed = await ManagedModem.unstarted({
    others: [
      { uri: `coap://${otherAddress}`, resolve: async () => otherAddress, account: { lifetime: 120 } },
    ],
  });
  const { world } = managed;
  other = new ScriptedServer(registry, () => world.clock.now());
  other.endpoint = world.endpoint(otherAddress, { handler: other.handle });
  await managed.start();
  await world.until('registered there too', () => other.of('register').length > 0);
}

describe('a device with two servers', () => {
  it('registers with each by its own account (ETS 950)', async () => {
    await open();
    expect((await managed.device()).registration).toMatchObject({ lifetime: 300 });
    const [register] = other.of('register');
    expect(register?.query).toEqual(expect.arrayContaining(['ep=modem-1', 'lt=120']));
    for (const links of [
      register?.payload ?? '',
      JSON.stringify((await managed.device()).registration?.objects),
    ]) {
      expect(links).toMatch(/\/1\/0.*\/1\/1.*\/2\/.*\/3\/0/s);
    }
  });

  it('keeps the attributes of each apart (ETS 951)', async () => {
    await open();
    expect((await managed.call('PUT', '/attributes/3/0', { pmin: 2, pmax: 10 })).status).toBe(204);
    const written = await managed.world.wait(other.send(Code.PUT, '/3/0', { query: ['pmin=15', 'pmax=50'] }));
    expect(written.code).toBe(Code.CHANGED);
    const { body } = await managed.call('GET', '/discover/3/0');
    const { items } = body as { items: { path: string; attributes: Record<string, string> }[] };
    expect(items.find(({ path }) => path === '/3/0')?.attributes).toMatchObject({ pmin: '2', pmax: '10' });
    const found = await managed.world.wait(
      other.endpoint.request(other.client, {
        code: Code.GET,
        options: [...pathOptions('/3/0'), acceptOption(ContentFormat.LINK_FORMAT)],
      }),
    );
    const links = parseLinks(new TextDecoder().decode(found.payload));
    expect(links.find(({ target }) => target === '/3/0')?.attributes).toMatchObject({
      pmin: '15',
      pmax: '50',
    });
  });
});
