import { describe, expect, test } from 'vitest';
import { allowHosts, hostname } from '../../../server/api/allowed-hosts.ts';

describe('hostname', () => {
  test.each([
    ['localhost:8080', 'localhost'],
    ['LOCALHOST', 'localhost'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]:8080', '[::1]'],
    ['[2001:DB8::1]', '[2001:db8::1]'],
    ['simyard.example:443', 'simyard.example'],
  ])('%s names %s', (authority, host) => expect(hostname(authority)).toBe(host));

  test.each(['', 'a b', 'user@host', 'host:80:80', 'host/path', '::1', 'host:999999', 'a\nb'])(
    'what is no authority names nothing: %j',
    (authority) => expect(hostname(authority)).toBeUndefined(),
  );
});

describe('allowHosts', () => {
  test('a server on loopback is called by the names of loopback only', () => {
    const allowed = allowHosts({ listenHost: '127.0.0.1' });
    expect(
      ['localhost', '127.0.0.1', '127.8.8.8', '[::1]', 'app.localhost'].filter((host) => !allowed(host)),
    ).toEqual([]);
    expect(
      [
        'evil.example',
        '127.0.0.1.evil.example',
        'localhost.evil.example',
        '10.0.0.1',
        '[2001:db8::1]',
        '',
      ].filter(allowed),
    ).toEqual([]);
  });

  test('a server on all addresses is called by any address, which cannot be rebound, but not by any name', () => {
    const allowed = allowHosts({ listenHost: '0.0.0.0' });
    expect(allowed('10.0.0.1')).toBe(true);
    expect(allowed('[2001:db8::1]')).toBe(true);
    expect(allowed('evil.example')).toBe(false);
    expect(allowHosts({ listenHost: '::' })('192.168.1.2')).toBe(true);
  });

  test('names can be added, in any case', () => {
    const allowed = allowHosts({ listenHost: '127.0.0.1', names: ['Simyard.Example', '2001:db8::2'] });
    expect(allowed('simyard.example')).toBe(true);
    expect(allowed('[2001:db8::2]')).toBe(true);
    expect(allowed('other.example')).toBe(false);
  });
});
