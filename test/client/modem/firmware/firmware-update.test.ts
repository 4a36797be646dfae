import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryFlash } from '../../../../client/modem/firmware/memory-flash.ts';
import type { FirmwareParts } from '../../../../client/modem/firmware/modem-firmware.ts';
import { encodePackage } from '../../../../client/modem/firmware/package.ts';
import { volatileFirmware } from '../../../../client/modem/firmware/record.ts';
import { FirmwareState, Severity, UpdateResult } from '../../../../client/modem/firmware/states.ts';
import type { Modem } from '../../../../client/modem/modem.ts';
import type { IncomingRequest } from '../../../../protocol/coap/exchange.ts';
import { Code } from '../../../../protocol/coap/message.ts';
import { uriPath } from '../../../../protocol/coap/options.ts';
import { ContentFormat } from '../../../../protocol/lwm2m/content-format.ts';
import { ClientWorld } from '../../../support/client/client-world.ts';
import { describe as told } from '../../../support/client/scripted-server.ts';

const { IDLE, DOWNLOADING, DOWNLOADED, UPDATING } = FirmwareState;
const fileServer = '203.0.113.5:5683';
const uri = `coap://${fileServer}/firmware/2.0.0`;
const name = 'simyard-modem';
const content = Uint8Array.from({ length: 20_000 }, (_, i) => i * 11);
const whole = encodePackage({ name, version: '2.0.0', minimumHardware: undefined }, content);

let world: ClientWorld;
let modem: Modem;
let storage: ReturnType<typeof volatileFirmware>;
let flash: MemoryFlash;
/** [state, result] as observed, in order. */
let seen: [unknown, unknown][];

/** A modem process on the flash and the record that are there. */
async function start(parts: FirmwareParts = {}): Promise<void> {
  const before = world.states.filter((state) => state === 'registered').length;
  modem = world.modem({ firmwareParts: { storage, flash, ...parts } });
  await world.settle(modem.start());
  await world.registered(before + 1);
}

async function observe(): Promise<void> {
  seen = [];
  await world.settle(
    world.server.observe('/5/0', {
      accept: ContentFormat.SENML_CBOR,
      decide(notification) {
        const values = world.server.decode('/5/0', notification.payload);
        seen.push([values['/5/0/3'], values['/5/0/5']]);
        notification.accept();
      },
    }),
  );
}

async function begin(parts: FirmwareParts = {}): Promise<void> {
  await start(parts);
  await observe();
}

/** The modem's process dies; it is some time before another begins, as message ids rise with time. */
async function die(): Promise<void> {
  await world.settle(modem.close({ deregister: false }));
  await world.clock.run(1_000);
}

/** A CoAP server with files by path; `look` sees each request, and may take it. */
function serve(
  files: Readonly<Record<string, Uint8Array>>,
  look: (request: IncomingRequest, block: number) => boolean = () => false,
): { readonly blocks: number[] } {
  const blocks: number[] = [];
  world.endpoint(fileServer, {
    handler(request) {
      if (look(request, 0)) return;
      const path = `/${uriPath(request.options).join('/')}`;
      const payload = files[path];
      if (payload === undefined) request.respond({ code: Code.NOT_FOUND });
      else request.respond({ code: Code.CONTENT, payload });
    },
  });
  world.link.filter = (data, _from, to) => {
    if (to === fileServer) blocks.push(data.length);
    return false;
  };
  return { blocks };
}

const values = () => world.settle(world.server.values('/5/0'));
const push = (bytes: Uint8Array) =>
  world.settle(world.server.send(Code.PUT, '/5/0/0', { format: ContentFormat.OPAQUE, payload: bytes }));
const writeUri = async (text: string) => told(await world.settle(world.server.writeText('/5/0/1', text)));
const update = async () => told(await world.settle(world.server.execute('/5/0/2')));
const version = async () => (await world.settle(world.server.values('/3/0')))['/3/0/3'];
const stateIs = (state: number) => world.until(`state ${state}`, () => modem.firmware.state === state);
const resultIs = (result: number) => world.until(`result ${result}`, () => modem.firmware.result === result);

beforeEach(() => {
  world = new ClientWorld();
  storage = volatileFirmware();
  flash = new MemoryFlash(world.clock, 100_000);
});

afterEach(() => expect(world.faults).toEqual([]));

describe('the Firmware Update object', () => {
  it('can be read: idle, nothing tried, push and pull by CoAP, HTTP and HTTPS (ETS 751)', async () => {
    await begin();
    expect(await values()).toEqual({
      '/5/0/1': '',
      '/5/0/3': IDLE,
      '/5/0/5': UpdateResult.INITIAL,
      '/5/0/6': '',
      '/5/0/7': '',
      '/5/0/8/0': 0,
      '/5/0/8/1': 2,
      '/5/0/8/2': 3,
      '/5/0/9': 2,
      '/5/0/11': Severity.MANDATORY,
      '/5/0/13': 0,
      '/5/0/14': false,
    });
  });

  it('takes severity, defer period and automatic upgrade, and keeps them over a restart', async () => {
    await begin();
    for (const [path, text] of Object.entries({ '/5/0/11': '2', '/5/0/13': '60', '/5/0/14': '1' })) {
      expect(told(await world.settle(world.server.writeText(path, text)))).toBe('2.04');
    }
    expect(told(await world.settle(world.server.writeText('/5/0/11', '3')))).toMatch(/^4\.00/);
    await die();
    await start();
    expect(await values()).toMatchObject({ '/5/0/11': 2, '/5/0/13': 60, '/5/0/14': true });
  });
});

describe('a package that is pushed', () => {
  beforeEach(() => begin());

  it('comes in blocks, is checked, and waits (ETS 755)', async () => {
    expect(told(await push(whole))).toBe('2.04');
    expect(await values()).toMatchObject({
      '/5/0/3': DOWNLOADED,
      '/5/0/5': UpdateResult.INITIAL,
      '/5/0/6': name,
      '/5/0/7': '2.0.0',
      '/5/0/12': Math.floor(world.clock.wallTime() / 1_000),
    });
  });

  it('is installed by Update: the modem restarts and registers with its version (ETS 760, 770)', async () => {
    expect(await version()).toBe('1.2.3');
    await push(whole);
    expect(await update()).toBe('2.04');
    await world.until('registered anew', () => world.server.of('register').length === 2);
    expect(await version()).toBe('2.0.0');
    expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.UPDATED, '/5/0/7': '' });
    expect(seen).toContainEqual([DOWNLOADED, UpdateResult.INITIAL]);
    expect(seen).toContainEqual([UPDATING, UpdateResult.INITIAL]);
    expect(flash.length).toBe(0);
  });

  it('that is damaged ends with result 5 (ETS 776)', async () => {
    const damaged = whole.slice();
    damaged[damaged.length - 1] = 0;
    await push(damaged);
    expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.INTEGRITY_FAILURE });
    expect(flash.length).toBe(0);
  });

  it('that is none of this modem’s, or for other hardware, ends with result 6 (ETS 777)', async () => {
    await push(new TextEncoder().encode('PK\u0003\u0004 is another kind of package'));
    expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.UNSUPPORTED_PACKAGE });
    await push(encodePackage({ name, version: '2.0.0', minimumHardware: [9, 0] }, content));
    expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.UNSUPPORTED_PACKAGE });
  });

  it('that the flash has no room for ends with result 2, and 4.13 (ETS 773)', async () => {
    const large = encodePackage({ name, version: '3', minimumHardware: undefined }, new Uint8Array(100_000));
    expect(told(await push(large))).toMatch(/^4\.13/);
    expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.NOT_ENOUGH_STORAGE });
  });

  it('is not replaced without a reset, which an empty Package is', async () => {
    await push(whole);
    expect(told(await push(whole))).toMatch(/^4\.05/);
    expect(await writeUri(uri)).toMatch(/^4\.05/);
    for (const empty of [new Uint8Array(0), Uint8Array.of(0)]) {
      expect(told(await push(empty))).toBe('2.04');
      expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.INITIAL, '/5/0/7': '' });
      expect(flash.length).toBe(0);
      expect(told(await push(whole))).toBe('2.04');
    }
  });

  it('can be cancelled until it is being installed, and not without it', async () => {
    const cancel = async () => told(await world.settle(world.server.execute('/5/0/10')));
    expect(await cancel()).toMatch(/^4\.05/);
    await push(whole);
    expect(await cancel()).toBe('2.04');
    expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.CANCELLED });
    expect(flash.length).toBe(0);
  });
});

it('Update without a package is refused, and changes nothing (ETS 772)', async () => {
  await begin();
  expect(await update()).toMatch(/^4\.05/);
  expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.INITIAL });
  expect(seen).toEqual([]);
});

describe('a package that is pulled', () => {
  it('is fetched block by block over CoAP, and installed by Update (ETS 756, 771)', async () => {
    await begin();
    serve({ '/firmware/2.0.0': whole });
    expect(await writeUri(uri)).toBe('2.04');
    await stateIs(DOWNLOADED);
    expect(await values()).toMatchObject({
      '/5/0/1': uri,
      '/5/0/7': '2.0.0',
      '/5/0/5': UpdateResult.INITIAL,
    });
    expect(seen.map(([state]) => state)).toContain(DOWNLOADING);
    await update();
    await world.until('registered anew', () => world.server.of('register').length === 2);
    expect(await version()).toBe('2.0.0');
    expect(await values()).toMatchObject({ '/5/0/1': '', '/5/0/3': IDLE, '/5/0/5': UpdateResult.UPDATED });
  });

  it('comes whole over a network that loses a tenth', async () => {
    world = new ClientWorld({ loss: 0.1, seed: 5 });
    flash = new MemoryFlash(world.clock, 100_000);
    await begin();
    serve({ '/firmware/2.0.0': whole });
    await writeUri(uri);
    await stateIs(DOWNLOADED);
    expect(modem.firmware.staged).toEqual({ name, version: '2.0.0' });
  });

  it.each([
    ['not a URI at all', UpdateResult.INVALID_URI],
    ['coap://', UpdateResult.INVALID_URI],
    ['coap://203.0.113.5/%ZZ', UpdateResult.INVALID_URI],
    ['coap://no-such-host/fw', UpdateResult.INVALID_URI],
    [`coap://${fileServer}/missing`, UpdateResult.INVALID_URI],
    ['ftp://203.0.113.5/fw', UpdateResult.UNSUPPORTED_PROTOCOL],
    ['coaps://203.0.113.5/fw', UpdateResult.UNSUPPORTED_PROTOCOL],
  ])('from %s ends with result %i (ETS 778, 780)', async (text, result) => {
    await begin();
    serve({});
    expect(await writeUri(text)).toBe('2.04');
    await resultIs(result);
    expect(await values()).toMatchObject({ '/5/0/1': text, '/5/0/3': IDLE, '/5/0/5': result });
  });

  it('from where nobody answers is tried for minutes, and ends with result 4 (ETS 775)', async () => {
    await begin();
    await writeUri(uri);
    await world.clock.run(120_000);
    expect(modem.firmware.state).toBe(DOWNLOADING);
    await world.until('given up', () => modem.firmware.result === UpdateResult.CONNECTION_LOST, 1_000_000);
    expect(modem.firmware.state).toBe(IDLE);
  });

  it('that was interrupted goes on where it was: no block is fetched twice', async () => {
    await begin();
    const { blocks } = serve({ '/firmware/2.0.0': whole });
    await writeUri(uri);
    await world.until('half of it', () => flash.length > 10_000);
    world.link.filter = (_data, from, to) => from === fileServer || to === fileServer;
    await world.clock.run(200_000);
    const before = flash.length;
    expect(modem.firmware.state).toBe(DOWNLOADING);
    let after = 0;
    world.link.filter = (_data, _from, to) => {
      if (to === fileServer) after++;
      return false;
    };
    await stateIs(DOWNLOADED);
    expect(after).toBe(Math.ceil((whole.length - before) / 1_024));
    expect(blocks.length).toBeGreaterThan(0);
  });

  it('that is another one after an interruption is fetched from its beginning', async () => {
    await begin();
    const other = encodePackage({ name, version: '2.0.1', minimumHardware: undefined }, content.slice(5_000));
    const files = { '/firmware/2.0.0': whole };
    serve(files);
    await writeUri(uri);
    await world.until('half of it', () => flash.length > 10_000);
    world.link.filter = (_data, from, to) => from === fileServer || to === fileServer;
    await world.clock.run(200_000);
    files['/firmware/2.0.0'] = other;
    world.link.filter = undefined;
    await stateIs(DOWNLOADED);
    expect(modem.firmware.staged?.version).toBe('2.0.1');
  });

  it('goes on after a restart of the modem', async () => {
    await begin();
    serve({ '/firmware/2.0.0': whole });
    await writeUri(uri);
    await world.until('half of it', () => flash.length > 10_000);
    await die();
    const before = flash.length;
    let asked = 0;
    world.link.filter = (_data, _from, to) => {
      if (to === fileServer) asked++;
      return false;
    };
    await start();
    await stateIs(DOWNLOADED);
    expect(asked).toBe(Math.ceil((whole.length - before) / 1_024));
  });

  it('goes on after a power cut that left a part of a block', async () => {
    await begin();
    serve({ '/firmware/2.0.0': whole });
    await writeUri(uri);
    await world.until('half of it', () => flash.length > 10_000);
    await die();
    flash = new MemoryFlash(world.clock, 100_000);
    flash.append(whole.subarray(0, 10_037));
    await start();
    await stateIs(DOWNLOADED);
    expect(modem.firmware.staged?.version).toBe('2.0.0');
  });

  it('can be cancelled on the way, and reset by an empty Package URI', async () => {
    await begin();
    serve({ '/firmware/2.0.0': whole });
    await writeUri(uri);
    await world.until('some of it', () => flash.length > 2_000);
    await world.settle(world.server.execute('/5/0/10'));
    expect(await values()).toMatchObject({ '/5/0/1': '', '/5/0/3': IDLE, '/5/0/5': UpdateResult.CANCELLED });
    await writeUri(uri);
    await world.until('some of it', () => flash.length > 2_000);
    expect(await writeUri('')).toBe('2.04');
    expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.INITIAL });
    await world.clock.run(60_000);
    expect([modem.firmware.state, flash.length]).toEqual([IDLE, 0]);
  });

  it('that is larger than the flash ends with result 2 before it is all fetched (ETS 773)', async () => {
    await begin();
    const large = encodePackage({ name, version: '3', minimumHardware: undefined }, new Uint8Array(200_000));
    const { blocks } = serve({ '/firmware/2.0.0': large });
    await writeUri(uri);
    await resultIs(UpdateResult.NOT_ENOUGH_STORAGE);
    expect(blocks.length).toBeLessThan(5);
  });

  it('is installed by itself where Automatic Upgrade at Download says so', async () => {
    await begin();
    serve({ '/firmware/2.0.0': whole });
    await world.settle(world.server.writeText('/5/0/14', '1'));
    await writeUri(uri);
    await world.until('registered anew', () => world.server.of('register').length === 2);
    expect(await version()).toBe('2.0.0');
  });
});

describe('faults on demand', () => {
  it.each([
    ['no-storage', UpdateResult.NOT_ENOUGH_STORAGE, '4.13'],
    ['no-ram', UpdateResult.OUT_OF_MEMORY, '4.13'],
    ['connection', UpdateResult.CONNECTION_LOST, '2.04'],
    ['integrity', UpdateResult.INTEGRITY_FAILURE, '2.04'],
  ] as const)(
    '%s: a pushed package ends with result %i (ETS 773, 774, 775, 776)',
    async (fault, result, code) => {
      await begin({ fault });
      expect(told(await push(whole)).slice(0, 4)).toBe(code);
      expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': result });
    },
  );

  it.each([
    ['no-storage', UpdateResult.NOT_ENOUGH_STORAGE],
    ['no-ram', UpdateResult.OUT_OF_MEMORY],
    ['connection', UpdateResult.CONNECTION_LOST],
    ['integrity', UpdateResult.INTEGRITY_FAILURE],
  ] as const)('%s: a pulled package ends with result %i', async (fault, result) => {
    await begin({ fault });
    serve({ '/firmware/2.0.0': whole });
    await writeUri(uri);
    await resultIs(result);
    expect(modem.firmware.state).toBe(IDLE);
  });

  it('install: the old firmware runs on, result 8, and the package can be tried again (ETS 779)', async () => {
    await begin({ fault: 'install' });
    await push(whole);
    await update();
    await world.until('registered anew', () => world.server.of('register').length === 2);
    expect(await version()).toBe('1.2.3');
    expect(await values()).toMatchObject({ '/5/0/3': DOWNLOADED, '/5/0/5': UpdateResult.UPDATE_FAILED });
    await die();
    await start();
    expect(await update()).toBe('2.04');
    await world.until('registered', () => world.server.of('register').length === 4);
    expect(await version()).toBe('2.0.0');
  });

  it('busy: an update is deferred as long as it may be, result 11, and then begins by itself', async () => {
    await begin({ fault: 'busy' });
    await world.settle(world.server.writeText('/5/0/13', '60'));
    await push(whole);
    await update();
    expect(await values()).toMatchObject({ '/5/0/3': DOWNLOADED, '/5/0/5': UpdateResult.DEFERRED });
    await world.clock.run(50_000);
    expect(world.server.of('register')).toHaveLength(1);
    await world.clock.run(20_000);
    expect(await version()).toBe('2.0.0');
  });

  it('busy: a deferred update is still due after a restart', async () => {
    await begin({ fault: 'busy' });
    await world.settle(world.server.writeText('/5/0/13', '600'));
    await push(whole);
    await update();
    await die();
    await start({ fault: 'busy' });
    expect(modem.firmware.result).toBe(UpdateResult.DEFERRED);
    await world.clock.run(620_000);
    expect(await version()).toBe('2.0.0');
  });

  it('busy: a critical update, or one that may not be deferred, begins at once', async () => {
    await begin({ fault: 'busy' });
    await world.settle(world.server.writeText('/5/0/13', '60'));
    await world.settle(world.server.writeText('/5/0/11', '0'));
    await push(whole);
    await update();
    await world.until('registered anew', () => world.server.of('register').length === 2);
    expect(await version()).toBe('2.0.0');
  });
});

describe('a modem that is switched off', () => {
  it('keeps a package that waits', async () => {
    await begin();
    await push(whole);
    await die();
    await start();
    expect(await values()).toMatchObject({ '/5/0/3': DOWNLOADED, '/5/0/7': '2.0.0' });
    expect(await update()).toBe('2.04');
    await world.until('updated', () => modem.firmware.result === UpdateResult.UPDATED);
  });

  it('in the middle of the update finishes it before it registers', async () => {
    await begin();
    await push(whole);
    await update();
    await world.until('updating', () => modem.firmware.state === UPDATING);
    await world.clock.run(1_000);
    expect(modem.firmware.state).toBe(UPDATING);
    await die();
    await start();
    expect(await version()).toBe('2.0.0');
    expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.UPDATED });
  });

  it('whose flash lost the package says so', async () => {
    await begin();
    await push(whole);
    await die();
    flash.erase();
    await start();
    expect(await values()).toMatchObject({ '/5/0/3': IDLE, '/5/0/5': UpdateResult.INTEGRITY_FAILURE });
  });

  it('keeps the firmware that runs', async () => {
    await begin();
    await push(whole);
    await update();
    await world.until('updated', () => modem.firmware.result === UpdateResult.UPDATED);
    await world.registered(2);
    await die();
    await start();
    expect(await version()).toBe('2.0.0');
  });
});
