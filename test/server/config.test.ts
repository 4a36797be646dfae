import { describe, expect, it } from 'vitest';
import { ConfigError, HelpRequested, help, loadConfig } from '../../server/config.ts';
import { settings } from '../../server/settings.ts';

describe('the configuration', () => {
  it('has defaults that listen on loopback only', () => {
    const config = loadConfig({}, []);
    expect(config).toMatchObject({
      coapHost: '127.0.0.1',
      coapPort: 5683,
      httpHost: '127.0.0.1',
      httpPort: 8080,
      data: './data',
      logLevel: 'info',
      carrierObject: 42769,
      sensorObject: 42770,
    });
  });

  it('takes the environment over a default, and a flag over the environment', () => {
    expect(loadConfig({ SIMYARD_COAP_PORT: '7000' }, []).coapPort).toBe(7000);
    expect(loadConfig({ SIMYARD_COAP_PORT: '7000' }, ['--coap-port', '7001']).coapPort).toBe(7001);
    expect(loadConfig({ SIMYARD_COAP_PORT: '' }, []).coapPort).toBe(5683);
  });

  it.each([
    [{ SIMYARD_COAP_PORT: '70000' }, 'SIMYARD_COAP_PORT must be a whole number from 0 to 65535'],
    [
      { SIMYARD_HTTP_PORT: 'eighty' },
      "SIMYARD_HTTP_PORT must be a whole number from 0 to 65535, not 'eighty'",
    ],
    [{ SIMYARD_LOG_LEVEL: 'loud' }, 'SIMYARD_LOG_LEVEL must be one of'],
    [{ SIMYARD_COAPPORT: '1' }, 'SIMYARD_COAPPORT is not a setting'],
    [{ SIMYARD_REDIS_PREFIX: 'a{b}' }, 'SIMYARD_REDIS_PREFIX must be 1 to 32 letters'],
    [{ SIMYARD_NODE: 'two words' }, 'SIMYARD_NODE must be 1 to 100 characters'],
    [{ SIMYARD_CARRIER_OBJECT: '42770' }, 'must differ'],
    [{ SIMYARD_LESHAN_API: 'yes' }, "SIMYARD_LESHAN_API must be true or false, not 'yes'"],
    [{ SIMYARD_LESHAN_API: 'true', SIMYARD_LESHAN_HOST: '0.0.0.0' }, 'set SIMYARD_LESHAN_TOKEN'],
    [{ SIMYARD_LESHAN_TOKEN: 'two words' }, 'no bearer token'],
    [{ SIMYARD_WORKERS: '2' }, 'SIMYARD_WORKERS is 2, which needs SIMYARD_REDIS_URL'],
    [{ SIMYARD_WORKERS: '17' }, 'SIMYARD_WORKERS must be a whole number from 1 to 16'],
    [
      { SIMYARD_WORKERS: '2', SIMYARD_REDIS_URL: 'redis://127.0.0.1', SIMYARD_COAP_PORT: '0' },
      'SIMYARD_COAP_PORT is 0, and SIMYARD_WORKERS is 2',
    ],
    [{ SIMYARD_REUSE_PORT: 'true' }, 'SIMYARD_REUSE_PORT needs SIMYARD_REDIS_URL'],
    [{ SIMYARD_COAP_ADDRESS: 'example.com:5683' }, 'SIMYARD_COAP_ADDRESS must be coap://host:port'],
    [{ SIMYARD_COAP_ADDRESS: 'coap://example.com:70000' }, 'SIMYARD_COAP_ADDRESS must be coap://host:port'],
  ])('refuses %o with one clear line', (env, message) => {
    expect(() => loadConfig(env, [])).toThrow(ConfigError);
    expect(() => loadConfig(env, [])).toThrow(message);
    try {
      loadConfig(env, []);
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
  });

  it.each([
    ['coap://Devices.Example.com', 'coap://devices.example.com:5683'],
    ['coap://192.0.2.7:7000/', 'coap://192.0.2.7:7000'],
    ['coap://[2001:db8::1]:5683', 'coap://[2001:db8::1]:5683'],
  ])('has the same text for an address however it is written: %s', (given, expected) => {
    expect(loadConfig({ SIMYARD_COAP_ADDRESS: given }, []).coapAddress).toBe(expected);
  });

  it('lets the Leshan-compatible interface listen beyond this machine with a token', () => {
    const env = {
      SIMYARD_LESHAN_API: 'true',
      SIMYARD_LESHAN_HOST: '0.0.0.0',
      SIMYARD_LESHAN_TOKEN: 'c2VjcmV0',
    };
    expect(loadConfig(env, []).leshan).toEqual({
      enabled: true,
      host: '0.0.0.0',
      port: 8081,
      token: 'c2VjcmV0',
    });
  });

  it('lets devices come without security on loopback alone, or where it is told so', () => {
    const load = (env: Record<string, string> = {}) => loadConfig(env, []);
    expect(load().noSec).toBe(true);
    expect(load({ SIMYARD_COAP_HOST: '::1' }).noSec).toBe(true);
    expect(load({ SIMYARD_COAP_HOST: '0.0.0.0' }).noSec).toBe(false);
    expect(load({ SIMYARD_COAP_HOST: '0.0.0.0', SIMYARD_NOSEC: 'on' }).noSec).toBe(true);
    expect(load({ SIMYARD_NOSEC: 'off' }).noSec).toBe(false);
    expect(() => load({ SIMYARD_NOSEC: 'true' })).toThrow('SIMYARD_NOSEC must be auto, on or off');
    expect(() => load({ SIMYARD_NOSEC: 'off', SIMYARD_COAPS_PORT: 'off' })).toThrow(
      'no device can reach this server',
    );
  });

  it('needs a log-in beyond loopback, and there where it is told so', () => {
    const required = (env: Record<string, string>) => loadConfig(env, []).people.loginRequired;
    expect(required({})).toBe(false);
    expect(required({ SIMYARD_HTTP_HOST: '::1' })).toBe(false);
    expect(required({ SIMYARD_LOGIN: 'required' })).toBe(true);
    expect(required({ SIMYARD_HTTP_HOST: '0.0.0.0' })).toBe(true);
    expect(required({ SIMYARD_HTTP_HOST: '192.0.2.7' })).toBe(true);
  });

  it('takes an identity provider as a whole', () => {
    const env = {
      SIMYARD_OIDC_ISSUER: 'https://id.example.org/realms/ours',
      SIMYARD_OIDC_CLIENT_ID: 'simyard',
      SIMYARD_OIDC_ROLES: 'View=viewer, cn=ops=operator',
      SIMYARD_PUBLIC_URL: 'https://simyard.example.org/',
    };
    expect(loadConfig(env, []).people.provider).toMatchObject({
      publicUrl: 'https://simyard.example.org',
      roles: new Map([
        ['View', 'viewer'],
        ['cn=ops', 'operator'],
      ]),
      tenantClaim: undefined,
    });
    for (const name of ['SIMYARD_OIDC_CLIENT_ID', 'SIMYARD_OIDC_ROLES', 'SIMYARD_PUBLIC_URL']) {
      expect(() => loadConfig({ ...env, [name]: '' }, [])).toThrow('SIMYARD_OIDC_ISSUER needs');
    }
    const insecure = { ...env, SIMYARD_OIDC_ISSUER: 'http://id.example.org' };
    expect(() => loadConfig(insecure, [])).toThrow('must be an https: address');
    expect(() => loadConfig({ ...env, SIMYARD_OIDC_ROLES: 'a=root' }, [])).toThrow("not 'a=root'");
  });

  it.each([
    [{ SIMYARD_LOGIN: 'off' }, "SIMYARD_LOGIN must be auto or required, not 'off'"],
    [{ SIMYARD_METRICS_TOKEN: 'short' }, 'SIMYARD_METRICS_TOKEN must be 32 characters'],
    [{ SIMYARD_TRUSTED_PROXIES: 'proxy' }, "not 'proxy'"],
    [{ SIMYARD_TRUSTED_PROXIES: '10.0.0.0/33' }, "not '10.0.0.0/33'"],
    [{ SIMYARD_SESSION_IDLE: '0' }, 'SIMYARD_SESSION_IDLE must be a whole number'],
  ])('says what is wrong with %o', (env, message) => {
    expect(() => loadConfig(env, [])).toThrow(message);
  });

  it('refuses a flag that it does not know', () => {
    expect(() => loadConfig({}, ['--coap-prot', '1'])).toThrow("Unknown option '--coap-prot'");
  });

  it('tells every setting with flag, variable and meaning when asked for help', () => {
    expect(() => loadConfig({}, ['--help'])).toThrow(HelpRequested);
    for (const { name, flag, meaning } of settings) {
      expect(help()).toContain(`--${flag} VALUE, ${name}`);
      expect(help()).toContain(meaning);
    }
  });
});
