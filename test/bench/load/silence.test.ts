import { beforeEach, describe, expect, test } from 'vitest';
import { Silence } from '../../../bench/load/silence.ts';
import { Tally } from '../../../bench/load/tally.ts';

describe('a silent server', () => {
  let tally: Tally;
  let silence: Silence;

  beforeEach(() => {
    tally = new Tally();
    silence = new Silence({ host: '127.0.0.1', port: 5683, tally });
    silence.begin(0);
  });

  test('is told after three seconds', () => {
    silence.look(2_900);
    expect(silence.told).toBeUndefined();
    silence.look(3_100);
    expect(silence.told).toMatch(/^nothing was answered for 3 s: 127\.0\.0\.1:5683 is silent/);
  });

  test.each([
    ['ECONNREFUSED', 'no server listens at 127.0.0.1:5683 (ECONNREFUSED 1)'],
    ['handshake: alert: decrypt_error', 'does the server know --psk-identity and --psk-key?'],
    ['EHOSTUNREACH', 'the system cannot send to 127.0.0.1:5683 (EHOSTUNREACH 1)'],
  ])('is told with the cause, and is hopeless after ten: %s', (code, message) => {
    tally.socketError(code);
    silence.look(4_000);
    expect(silence.told).toContain(message);
    expect(silence.isHopeless).toBe(false);
    silence.look(10_000);
    expect(silence.isHopeless).toBe(true);
  });

  test('is waited for where nothing says that nobody will answer', () => {
    silence.look(60_000);
    expect(silence.isHopeless).toBe(false);
  });

  test('that speaks again is silent no more, and what failed before is forgotten', () => {
    tally.socketError('ECONNREFUSED');
    silence.look(9_000);
    tally.heard();
    silence.look(9_500);
    expect(silence.told).toBeUndefined();
    silence.look(20_000);
    expect(silence.isHopeless).toBe(false);
  });
});
