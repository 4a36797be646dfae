import { describe, expect, test } from 'vitest';
import { eventTypes } from '../../../server/events.ts';
import {
  emptyWebhook,
  outcomeText,
  typesText,
  webhookOfForm,
  webhookTypes,
} from '../../../web/data/webhooks.ts';

const form = {
  ...emptyWebhook,
  name: ' Ops ',
  url: 'https://hooks.example.org/in',
  endpoints: 'meter-*, pump-7\nx',
};

describe('the form of a webhook', () => {
  test('offers every type that there is, once', () => {
    const offered = webhookTypes.flatMap(({ types }) => types.map(({ type }) => type as string));
    expect(offered.toSorted()).toEqual(['readings', ...eventTypes].toSorted());
  });

  test('says what the API takes', () => {
    const { body, faults } = webhookOfForm(form);
    expect(faults.size).toBe(0);
    expect(body).toEqual({
      name: 'Ops',
      url: 'https://hooks.example.org/in',
      types: ['registered', 'deregistered', 'expired', 'command'],
      endpoints: ['meter-*', 'pump-7', 'x'],
      enabled: true,
    });
  });

  test.each([
    [{ name: ' ' }, 'name'],
    [{ name: 'x'.repeat(101) }, 'name'],
    [{ url: 'hooks.example.org' }, 'url'],
    [{ url: 'ftp://hooks.example.org' }, 'url'],
    [{ url: 'https://' }, 'url'],
    [{ types: new Set<string>() }, 'types'],
    [{ endpoints: Array.from({ length: 101 }, (_, index) => `d${index}`).join(' ') }, 'endpoints'],
  ])('says what has to be mended: %o', (change, field) => {
    expect([...webhookOfForm({ ...form, ...change }).faults.keys()]).toEqual([field]);
  });
});

test('many types are told in short', () => {
  expect(typesText(['a', 'b', 'c', 'd'])).toBe('a, b, c, d');
  expect(typesText(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more');
});

test('an outcome is the reason, or the status, and how long it took', () => {
  const delivery = {
    id: 'x',
    type: 'test',
    state: 'delivered',
    attempts: 1,
    createdAt: 1,
    updatedAt: 1,
  } as const;
  expect(outcomeText({ ...delivery, status: 204, duration: 11.6 })).toBe('204, 12 ms');
  expect(
    outcomeText({ ...delivery, state: 'failed', reason: 'the connection was refused', duration: 0.2 }),
  ).toBe('the connection was refused, 1 ms');
});
