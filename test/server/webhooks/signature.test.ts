import { describe, expect, test } from 'vitest';
import { createSecret, signedHeaders } from '../../../server/webhooks/signature.ts';

describe('a signature', () => {
  test('is that of the example of Standard Webhooks', () => {
    const headers = signedHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, '{"test": 2432232314}', [
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    ]);
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('there is one for each secret, by space', () => {
    const [first, second] = [createSecret(), createSecret()];
    const both = signedHeaders('m', 1000, '{}', [first, second])['webhook-signature'].split(' ');
    expect(both).toHaveLength(2);
    expect(both[1]).toBe(signedHeaders('m', 1000, '{}', [second])['webhook-signature']);
  });

  test('secrets have 32 random bytes', () => {
    expect(createSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(createSecret()).not.toBe(createSecret());
  });
});
