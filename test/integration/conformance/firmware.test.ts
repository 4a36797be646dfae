import { afterEach, describe, expect, it } from 'vitest';
import { MemoryFlash } from '../../../client/modem/firmware/memory-flash.ts';
import { encodePackage } from '../../../client/modem/firmware/package.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';
import { ManagedModem, type Setting } from './managed-modem.ts';

// The cases of OMA-ETS-LightweightM2M_INT about Firmware Update, by REST, over the server, to our modem.

let managed: ManagedModem;
afterEach(() => managed.close());

const content = Uint8Array.from({ length: 20_000 }, (_, at) => (at * 7) % 251);
const firmware = (version = '2.0.0'): Uint8Array =>
  encodePackage({ name: 'modem', version, minimumHardware: undefined }, content);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const repository = 'repository:5683';

/** State and Update Result. */
const progress = async (): Promise<[unknown, unknown]> => {
  const values = await managed.values('/5/0');
  return [values['/5/0/3'], values['/5/0/5']];
};

/** Writes the package; what it was answered: a status, and the device's code where it was no. */
async function push(bytes: Uint8Array): Promise<string> {
  const { status, body } = await managed.call('PUT', '/objects/5/0/0?format=OPAQUE&timeout=120000', {
    value: hex(bytes),
  });
  return status < 300 ? '2.04' : String((body as { coapCode?: string }).coapCode);
}

async function pull(uri: string): Promise<void> {
  const { status, body } = await managed.call('PUT', '/objects/5/0/1', { value: uri });
  expect(status, JSON.stringify(body)).toBe(204);
}

const execute = async (): Promise<string> => {
  const { status, body } = await managed.call('POST', '/objects/5/0/2');
  return status < 300 ? '2.04' : String((body as { coapCode?: string }).coapCode);
};

async function until(state: number, result: number, milliseconds = 60_000): Promise<void> {
  const end = managed.world.clock.now() + milliseconds;
  let last: unknown;
  while (managed.world.clock.now() < end) {
    last = await progress();
    if (JSON.stringify(last) === JSON.stringify([state, result])) return;
    await managed.world.pass(1_000);
  }
  throw new Error(`state and result are ${JSON.stringify(last)}, not ${state} and ${result}`);
}

/** A modem, and a server of packages at `coap://repository:5683/<what>`. */
async function open(
  setting: Setting = {},
  packages: Readonly<Record<string, Uint8Array>> = {},
): Promise<void> {
  managed = await ManagedModem.open({
    ...setting,
    firmwareParts: { resolveHost: async (host, port) => `${host}:${port}`, ...setting.firmwareParts },
  });
  managed.world.endpoint(repository, {
    handler: (request) => {
      const name = request.options
        .filter(({ number }) => number === 11)
        .map(({ value }) => new TextDecoder().decode(value));
      const found = packages[name.join('/')];
      request.respond(
        found === undefined ? { code: Code.NOT_FOUND } : { code: Code.CONTENT, payload: found },
      );
    },
  });
}

describe('Firmware Update', () => {
  it('can be read: idle, no result, protocols and delivery methods (ETS 751)', async () => {
    await open();
    const values = await managed.values('/5/0', '?format=TLV');
    expect(values).toMatchObject({ '/5/0/3': 0, '/5/0/5': 0, '/5/0/9': 2 });
    expect(Object.keys(values).some((path) => path.startsWith('/5/0/8/'))).toBe(true);
  });

  it('takes a package that is pushed; an empty one, or a zero byte, resets (ETS 755)', async () => {
    await open();
    expect(await push(Uint8Array.of(0))).toBe('2.04');
    expect(await progress()).toEqual([0, 0]);
    expect(await push(firmware())).toBe('2.04');
    await until(2, 0);
    expect(await push(Uint8Array.of(0))).toBe('2.04');
    expect(await progress()).toEqual([0, 0]);
  });

  it('fetches a package from a URI; an empty one resets (ETS 756)', async () => {
    await open({}, { good: firmware() });
    await pull('');
    expect(await progress()).toEqual([0, 0]);
    await pull(`coap://${repository}/good`);
    await until(2, 0);
    await pull('');
    expect(await progress()).toEqual([0, 0]);
  });

  it('tells observers of its State (ETS 760)', async () => {
    await open();
    expect((await managed.call('PUT', '/attributes/5/0', { pmin: 2, pmax: 10 })).status).toBe(204);
    const { body } = await managed.call('POST', '/observations/5/0/3');
    expect(body).toMatchObject({ value: 0 });
    await push(firmware());
    await managed.world.pass(5_000);
    const { body: readings } = await managed.call('GET', '/readings?path=/5/0/3');
    expect((readings as { items: { value: unknown }[] }).items.at(-1)).toMatchObject({ value: 2 });
  });

  it('installs what was pushed, and runs it (ETS 770)', async () => {
    await open();
    expect(await push(firmware('2.0.0'))).toBe('2.04');
    await until(2, 0);
    expect(await execute()).toBe('2.04');
    await managed.world.pass(30_000);
    await managed.registered();
    await until(0, 1);
    expect(await managed.values('/3/0/3')).toEqual({ '/3/0/3': '2.0.0' });
  });

  it('installs what was fetched, and runs it (ETS 771)', async () => {
    await open({}, { good: firmware('3.1.4') });
    await pull(`coap://${repository}/good`);
    await until(2, 0);
    expect(await execute()).toBe('2.04');
    await managed.world.pass(30_000);
    await managed.registered();
    await until(0, 1);
    expect(await managed.values('/3/0/3')).toEqual({ '/3/0/3': '3.1.4' });
  });

  it('installs nothing where there is no package: 4.05, and all stays as it was (ETS 772)', async () => {
    await open();
    const before = await progress();
    expect(await execute()).toBe('4.05');
    expect(await progress()).toEqual(before);
  });

  it('ends with result 2 where the flash has no room (ETS 773)', async () => {
    await open({ firmwareParts: { flash: new MemoryFlash(new FakeClock(), 10_000) } }, { large: firmware() });
    await push(firmware());
    expect(await progress()).toEqual([0, 2]);
    await pull('');
    await pull(`coap://${repository}/large`);
    await until(0, 2);
  });

  it('ends with result 3 where memory runs out (ETS 774)', async () => {
    await open({ firmwareParts: { fault: 'no-ram' } });
    await push(firmware());
    await until(0, 3);
  });

  it('ends with result 4 where the connection is lost (ETS 775)', async () => {
    await open({}, { good: firmware() });
    managed.world.link.filter = (_data, from) => from === repository;
    await pull(`coap://${repository}/good`);
    await until(0, 4, 3_600_000);
  });

  it('ends with result 5 where the package is damaged (ETS 776)', async () => {
    const damaged = firmware();
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    await open({}, { damaged });
    await push(damaged);
    await until(0, 5);
    await pull('');
    await pull(`coap://${repository}/damaged`);
    await until(0, 5);
  });

  it('ends with result 6 where the package is of no type that it knows (ETS 777)', async () => {
    await open({}, { strange: new TextEncoder().encode('PK\u0003\u0004 nothing for a modem'.repeat(30)) });
    await push(new TextEncoder().encode('nothing for a modem'.repeat(30)));
    await until(0, 6);
    await pull('');
    await pull(`coap://${repository}/strange`);
    await until(0, 6);
  });

  it('ends with result 7 where the URI leads nowhere (ETS 778)', async () => {
    await open();
    await pull(`coap://${repository}/none`);
    await until(0, 7);
  });

  it('keeps the old firmware where the installation fails: result 8 (ETS 779)', async () => {
    await open({ firmwareParts: { fault: 'install' } });
    await push(firmware());
    await until(2, 0);
    expect(await execute()).toBe('2.04');
    await managed.world.pass(30_000);
    await managed.registered();
    await until(2, 8);
    expect(await managed.values('/3/0/3')).toEqual({ '/3/0/3': '1.2.3' });
  });

  it('ends with result 9 where the protocol is none of its own (ETS 780)', async () => {
    await open();
    const { status } = await managed.call('PUT', '/objects/5/0/1', { value: 'gopher://repository/good' });
    expect(status).toBeLessThan(500);
    await until(0, 9);
  });
});
