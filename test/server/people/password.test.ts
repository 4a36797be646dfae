import { describe, expect, test } from 'vitest';
import { BusyError } from '../../../protocol/errors.ts';
import { PasswordHasher, standardCost } from '../../../server/people/password.ts';
import { makePassword, passwordFault } from '../../../server/people/password-rules.ts';

const cheap = { memory: 8, passes: 1, parallelism: 1 };

describe('hashing passwords', () => {
  test('a password fits its own hash, and no other', async () => {
    const hasher = new PasswordHasher(cheap);
    const hash = await hasher.hash('correct horse battery');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(await hasher.verify('correct horse battery', hash)).toBe(true);
    expect(await hasher.verify('correct horse batterz', hash)).toBe(false);
    expect(await hasher.verify('', hash)).toBe(false);
  });

  test('the same password has another hash each time', async () => {
    const hasher = new PasswordHasher(cheap);
    expect(await hasher.hash('correct horse battery')).not.toBe(await hasher.hash('correct horse battery'));
  });

  test('a hash of another cost is understood', async () => {
    const hash = await new PasswordHasher({ memory: 16, passes: 2, parallelism: 1 }).hash('correct horse');
    expect(await new PasswordHasher(cheap).verify('correct horse', hash)).toBe(true);
  });

  test('the vector of the reference implementation fits', async () => {
    // argon2id, 64 KiB, 2 passes, of `password` with the salt `somesalt`: phc-winner-argon2/src/test.c
    const hash = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    const hasher = new PasswordHasher(cheap);
    expect(await hasher.verify('password', hash)).toBe(true);
    expect(await hasher.verify('passwore', hash)).toBe(false);
  });

  test('where there is no user nothing fits', async () => {
    const hasher = new PasswordHasher(cheap);
    expect(await hasher.verify('correct horse battery', undefined)).toBe(false);
  });

  test('the same text in other code points is the same password', async () => {
    const hasher = new PasswordHasher(cheap);
    const hash = await hasher.hash('caf\u00e9 au lait, bitte');
    expect(await hasher.verify('cafe\u0301 au lait, bitte', hash)).toBe(true);
  });

  test('what is more than can wait is refused, and all that was taken is answered', async () => {
    const hasher = new PasswordHasher(cheap);
    const asked = Array.from({ length: 60 }, () => hasher.verify('x', undefined));
    const outcomes = await Promise.allSettled(asked);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    // Two are at work, 32 wait.
    expect(outcomes.length - refused.length).toBe(34);
    for (const one of refused) expect((one as PromiseRejectedResult).reason).toBeInstanceOf(BusyError);
    expect(await hasher.verify('x', undefined)).toBe(false);
  });

  test('by default it costs what OWASP asks for', () => {
    expect(standardCost).toEqual({ memory: 46 * 1024, passes: 1, parallelism: 1 });
  });
});

describe('rules for passwords', () => {
  test.each([
    ['correct horse', 'anna', undefined],
    ['twelve chars', 'anna', undefined],
    ['eleven char', 'anna', 'at least 12 characters'],
    ['𝒶𝒷𝒸𝒹𝑒𝒻', 'anna', 'at least 12 characters'],
    ['ababababababab', 'anna', '5 different'],
    ['my name is Anna!', 'anna', 'user name'],
    ['a bob in his boat', 'bob', undefined],
    [`${'x'.repeat(250)}abcdefg`, 'anna', 'at most 256'],
  ])('%s', (password, name, fault) => {
    if (fault === undefined) expect(passwordFault(password, name)).toBeUndefined();
    else expect(passwordFault(password, name)).toContain(fault);
  });

  test('one that is made fits them, and is another each time', () => {
    const made = Array.from({ length: 50 }, makePassword);
    for (const password of made) expect(passwordFault(password, 'admin')).toBeUndefined();
    expect(new Set(made).size).toBe(50);
  });
});
