import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeMessage } from '../../../protocol/coap/codec.ts';
import { Code, MessageType } from '../../../protocol/coap/message.ts';
import { pathOptions, uriPath } from '../../../protocol/coap/options.ts';
import { isInstalled } from '../../../scripts/requirements.ts';
import { until } from '../../support/until.ts';
import { freePort } from '../coap/fixture.ts';
import {
  HELLO,
  IDENTITY,
  KEY,
  type KeyFiles,
  keyFiles,
  openSecureClient,
  openSecureServer,
  pskCredentials,
  type SecureServer,
  x509Credentials,
} from './fixture.ts';
import { DataProgram } from './program.ts';

const suites = [
  ['PSK-AES128-CCM8', 0xc0a8],
  ['PSK-AES128-CCM', 0xc0a4],
  ['PSK-AES128-GCM-SHA256', 0x00a8],
  ['PSK-AES128-CBC-SHA256', 0x00ae],
  ['ECDHE-PSK-AES128-CBC-SHA256', 0xc037],
  ['ECDHE-ECDSA-AES128-CCM8', 0xc0ae],
  ['ECDHE-ECDSA-AES128-CCM', 0xc0ac],
  ['ECDHE-ECDSA-AES128-GCM-SHA256', 0xc02b],
] as const;

const text = (payload: Uint8Array) => Buffer.from(payload).toString();
const token = Uint8Array.of(1, 2, 3, 4);

describe.skipIf(!isInstalled('openssl'))('OpenSSL', () => {
  let peer: DataProgram | undefined;
  let files: KeyFiles;

  beforeEach(async () => {
    files = await keyFiles('device');
  });
  afterEach(async () => {
    await peer?.stop();
    peer = undefined;
    await files.remove();
  });

  const common = (name: string) => ['-dtls1_2', '-quiet', '-cipher', `${name}:@SECLEVEL=0`];

  function client(here: SecureServer, name: string): DataProgram {
    const credentials = name.includes('PSK')
      ? ['-psk_identity', IDENTITY, '-psk', KEY]
      : ['-cert', files.certificate, '-key', files.key, '-CAfile', files.authority, '-verify_return_error'];
    return new DataProgram('openssl', [
      's_client',
      ...common(name),
      ...['-connect', `127.0.0.1:${here.port}`],
      ...credentials,
    ]);
  }

  test.each(suites)('s_client speaks CoAP both ways with %s', async (name, suite) => {
    const here = await openSecureServer();
    peer = client(here, name);
    peer.write(
      encodeMessage({
        type: MessageType.CON,
        code: Code.GET,
        messageId: 0x1234,
        token,
        options: pathOptions('/hello'),
        payload: new Uint8Array(0),
      }),
    );
    const answer = await peer.message(0);
    expect(answer).toMatchObject({ type: MessageType.ACK, code: Code.CONTENT, messageId: 0x1234 });
    expect(text(answer.payload)).toBe(HELLO);
    expect(here.established).toMatchObject([{ suite }]);

    const asked = here.ask('/there');
    const request = await peer.message(1);
    expect(uriPath(request.options)).toEqual(['there']);
    peer.write(
      encodeMessage({
        ...request,
        type: MessageType.ACK,
        code: Code.CONTENT,
        options: [],
        payload: Buffer.from('from openssl'),
      }),
    );
    expect(await asked).toBe('2.05 from openssl');
    await here.close();
  });

  test.each(suites)('s_server speaks CoAP with %s', async (name, suite) => {
    const server = await keyFiles('server');
    const port = await freePort();
    const credentials = name.includes('PSK')
      ? ['-nocert', '-psk', KEY]
      : ['-cert', server.certificate, '-key', server.key, '-CAfile', server.authority, '-Verify', '2'];
    peer = new DataProgram('openssl', ['s_server', ...common(name), '-accept', String(port), ...credentials]);
    const here = await openSecureClient(port, name.includes('PSK') ? pskCredentials : x509Credentials);
    const asked = here.ask('/there');
    const request = await peer.message(0);
    expect(uriPath(request.options)).toEqual(['there']);
    peer.write(
      encodeMessage({
        ...request,
        type: MessageType.ACK,
        code: Code.CONTENT,
        options: [],
        payload: Buffer.from('from openssl'),
      }),
    );
    expect(await asked, peer.said).toBe('2.05 from openssl');
    expect(here.suites).toEqual([suite]);
    await here.close();
    await server.remove();
  });

  test('s_client resumes its session, without its key being asked for again', async () => {
    const here = await openSecureServer();
    const saved = join(files.folder, 'session');
    const request = encodeMessage({
      type: MessageType.CON,
      code: Code.GET,
      messageId: 0x1234,
      token,
      options: pathOptions('/hello'),
      payload: new Uint8Array(0),
    });
    for (const [round, key] of [KEY, 'ffffffffffffffffffffffffffffffff'].entries()) {
      peer = new DataProgram('openssl', [
        's_client',
        ...common('PSK-AES128-CCM8'),
        ...['-connect', `127.0.0.1:${here.port}`, '-psk_identity', IDENTITY, '-psk', key],
        ...[round === 0 ? '-sess_out' : '-sess_in', saved],
      ]);
      peer.write(request);
      expect(text((await peer.message(0)).payload)).toBe(HELLO);
      await peer.stop('SIGINT');
    }
    peer = undefined;
    expect(here.established).toMatchObject([{ resumed: false }, { resumed: true }]);
    await here.close();
  });

  test('s_client with an identity that is not known, and with a wrong key, hears the same', async () => {
    const here = await openSecureServer();
    const alerts: string[] = [];
    for (const [identity, key] of [
      ['nobody', KEY],
      [IDENTITY, 'ffffffffffffffffffffffffffffffff'],
    ] as const) {
      peer = new DataProgram('openssl', [
        's_client',
        ...common('PSK-AES128-CCM8'),
        ...['-connect', `127.0.0.1:${here.port}`, '-psk_identity', identity, '-psk', key],
      ]);
      await until('it tells an alert', () => peer?.said.includes('alert') === true);
      alerts.push(/alert [a-z ]+/.exec(peer.said)?.[0] ?? '');
      await peer.stop();
    }
    peer = undefined;
    expect(alerts).toEqual(['alert decrypt error', 'alert decrypt error']);
    expect(here.failures).toMatchObject([{ reason: 'unknown_identity' }, { reason: 'wrong_key' }]);
    await here.close();
  });
});
