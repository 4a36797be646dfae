import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isInstalled } from '../../../scripts/requirements.ts';
import { root } from '../../../scripts/root.ts';
import { createAddressPolicy } from '../../../server/webhooks/address-policy.ts';
import { createSender } from '../../../server/webhooks/sender.ts';
import { createSecret, signedHeaders } from '../../../server/webhooks/signature.ts';
import { until } from '../../support/until.ts';

const guide = readFileSync(join(root, 'docs/guides/receive-webhooks.md'), 'utf8');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-guide-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const receivers = [
  ['js', 'receiver.mjs', process.execPath],
  ['python', 'receiver.py', 'python3'],
] as const;

describe.each(receivers)('the receiver in %s of the guide', (language, file, command) => {
  test.skipIf(!isInstalled(command) && command !== process.execPath)(
    'takes what the server signs, once, and refuses everything else',
    async () => {
      const code = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\n\`\`\``).exec(guide)?.[1];
      if (code === undefined) throw new Error(`the guide has no code in ${language}`);
      writeFileSync(join(folder, file), code);
      const secret = createSecret();
      const child = spawn(command, [join(folder, file), '0', secret], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const send = createSender({ policy: createAddressPolicy(['loopback']), userAgent: 'Test' });
      let output = '';
      child.stdout.on('data', (data: Buffer) => {
        output += data.toString();
      });
      try {
        const port = await until('it listens', () => /listening (\d+)/.exec(output)?.[1]);
        const body = JSON.stringify({ type: 'expired', timestamp: 'now', data: { endpoint: 'é' } });
        const deliver = async (headers: object, content = body) => {
          const message = { url: `http://127.0.0.1:${port}/`, headers: { ...headers }, body: content };
          return (await send(message, new AbortController().signal)).status;
        };
        const now = Date.now();
        const genuine = signedHeaders('m1', now, body, [secret]);
        expect(await deliver(genuine)).toBe(204);
        expect(await deliver(genuine)).toBe(204);
        expect(await deliver(signedHeaders('m2', now, body, [createSecret(), secret]))).toBe(204);
        expect(await deliver(signedHeaders('m3', now, body, [createSecret()]))).toBe(401);
        expect(await deliver(signedHeaders('m4', now - 600_000, body, [secret]))).toBe(401);
        expect(await deliver({ ...genuine, 'webhook-id': 'm5' })).toBe(401);
        expect(await deliver(genuine, body.replace('expired', 'updated'))).toBe(401);
        expect(await deliver({})).toBe(401);
        await until('both are printed', () => (output.match(/^expired /gm)?.length === 2 ? true : undefined));
      } finally {
        child.kill('SIGKILL');
        send.close();
      }
    },
  );
});
