import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createAddressPolicy } from '../../../server/webhooks/address-policy.ts';
import { createSender } from '../../../server/webhooks/sender.ts';
import { Receiver } from '../../support/webhooks/receiver.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openReceiver(): Promise<Receiver> {
  const receiver = await Receiver.open();
  closing.push(() => receiver.close());
  return receiver;
}

function openSender(options: Partial<Parameters<typeof createSender>[0]> = {}) {
  const send = createSender({ policy: createAddressPolicy(['loopback']), userAgent: 'Test/1', ...options });
  closing.push(() => send.close());
  return (url: string) =>
    send({ url, headers: { 'webhook-id': 'm' }, body: '{}' }, new AbortController().signal);
}

describe('a message on its way', () => {
  test('goes out as a POST of JSON, and any 2xx is a delivery', async () => {
    const receiver = await openReceiver();
    receiver.answer = () => 202;
    expect(await openSender()(receiver.url)).toEqual({ delivered: true, status: 202 });
    expect(receiver.messages[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Test/1',
      'webhook-id': 'm',
      host: `127.0.0.1:${receiver.port}`,
    });
  });

  test('keeps its connection for the next one', async () => {
    const receiver = await openReceiver();
    const send = openSender();
    for (let count = 0; count < 3; count++) await send(receiver.url);
    expect([receiver.messages.length, receiver.connections]).toEqual([3, 1]);
  });

  test('an error and a redirect are failures, and nothing is asked of where it leads', async () => {
    const receiver = await openReceiver();
    const target = await openReceiver();
    const send = openSender();
    receiver.answer = () => 500;
    expect(await send(receiver.url)).toEqual({ delivered: false, status: 500, reason: 'answered 500' });
    receiver.answer = () => ({ status: 307, headers: { location: target.url } });
    expect(await send(receiver.url)).toMatchObject({ delivered: false, status: 307 });
    expect(target.messages).toEqual([]);
  });

  test('who answers nothing is given up in time', async () => {
    const receiver = await openReceiver();
    receiver.answer = () => undefined;
    const outcome = await openSender({ timeout: 50 })(receiver.url);
    expect(outcome).toEqual({ delivered: false, reason: 'no answer within 50 ms' });
  });

  test('who changes the protocol has not taken it', async () => {
    const receiver = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n');
    });
    closing.push(() => receiver.close());
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as { port: number };
    expect(await openSender()(`http://127.0.0.1:${port}/`)).toEqual({
      delivered: false,
      status: 101,
      reason: 'answered 101',
    });
  });

  test('a name that nobody resolves in time is given up too', async () => {
    const never = () => new Promise<readonly string[]>(() => undefined);
    const outcome = await openSender({ timeout: 50, resolve: never })('http://slow.test/');
    expect(outcome).toEqual({ delivered: false, reason: 'no answer within 50 ms' });
  });

  test('nobody there is a failure in words', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    expect(await openSender()(`http://127.0.0.1:${port}/`)).toEqual({
      delivered: false,
      reason: 'the connection was refused',
    });
  });
});

describe('an address that webhooks may not go to', () => {
  const denying = { policy: createAddressPolicy(['public']) };

  test.each([
    'http://127.0.0.1:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://2130706433:PORT/',
    'http://localhost:PORT/',
  ])('%s gets no connection', async (template) => {
    const receiver = await openReceiver();
    const outcome = await openSender(denying)(template.replace('PORT', String(receiver.port)));
    expect(outcome).toMatchObject({ delivered: false });
    expect('reason' in outcome && outcome.reason).toContain('SIMYARD_WEBHOOK_ALLOW');
    expect(receiver.connections).toBe(0);
  });

  test('is refused where a name has it, and the name is looked up once: it cannot change its mind', async () => {
    const receiver = await openReceiver();
    const asked: string[] = [];
    const send = openSender({
      resolve: async (host) => {
        asked.push(host);
        return host === 'bad.test' ? ['10.0.0.1'] : ['10.0.0.1', '127.0.0.1'];
      },
    });
    expect(await send(`http://bad.test:${receiver.port}/`)).toMatchObject({ delivered: false });
    expect(await send(`http://good.test:${receiver.port}/`)).toMatchObject({ delivered: true });
    expect(asked).toEqual(['bad.test', 'good.test']);
    expect(receiver.messages[0]?.headers.host).toBe(`good.test:${receiver.port}`);
  });
});
