import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSealer, NoSecretKeyError, noSealer, SealError } from '../../../server/secrets/sealer.ts';

const secret = Buffer.from('the key of a device');

describe('a sealer', () => {
  const key = randomBytes(32);
  const sealer = createSealer([key]);

  test('opens what it has sealed, and nothing of it is to be seen', () => {
    const sealed = sealer.seal(secret, 'row a');
    expect(Buffer.from(sealed).includes(secret)).toBe(false);
    expect(Buffer.from(sealer.open(sealed, 'row a'))).toEqual(secret);
    expect(sealer.open(sealer.seal(new Uint8Array(), 'row a'), 'row a')).toHaveLength(0);
  });

  test('never seals the same twice alike', () => {
    expect(sealer.seal(secret, 'row a')).not.toEqual(sealer.seal(secret, 'row a'));
  });

  test('does not open what belongs elsewhere', () => {
    expect(() => sealer.open(sealer.seal(secret, 'row a'), 'row b')).toThrow(SealError);
  });

  test('does not open what was changed, whichever byte, nor a part of it', () => {
    const sealed = sealer.seal(secret, 'row a');
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => sealer.open(changed, 'row a'), `byte ${at}`).toThrow(SealError);
      expect(() => sealer.open(sealed.subarray(0, at), 'row a'), `${at} bytes`).toThrow(SealError);
    }
  });

  test('a key is changed: the new one seals, the old one opens until it is taken away', () => {
    const sealed = sealer.seal(secret, 'row a');
    const next = randomBytes(32);
    const both = createSealer([next, key]);
    expect(Buffer.from(both.open(sealed, 'row a'))).toEqual(secret);
    expect(both.isCurrent(sealed)).toBe(false);
    const anew = both.seal(secret, 'row a');
    expect(both.isCurrent(anew)).toBe(true);
    const after = createSealer([next]);
    expect(Buffer.from(after.open(anew, 'row a'))).toEqual(secret);
    expect(() => after.open(sealed, 'row a')).toThrow(/a key that SIMYARD_SECRET_KEY does not have/);
  });

  test('an error tells neither key nor content', () => {
    const sealed = sealer.seal(secret, 'row a');
    try {
      createSealer([randomBytes(32)]).open(sealed, 'row a');
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain(key.toString('hex'));
      expect(String(error)).not.toContain(secret.toString());
    }
  });

  test('a key of another length is none', () => {
    expect(() => createSealer([randomBytes(16)])).toThrow(RangeError);
    expect(() => createSealer([])).toThrow(RangeError);
  });

  test('where there is no key, every use says how to make one', () => {
    const none = noSealer('credentials');
    expect(() => none.seal(secret, 'row a')).toThrow(NoSecretKeyError);
    expect(() => none.open(secret, 'row a')).toThrow(/openssl rand -hex 32/);
  });
});
