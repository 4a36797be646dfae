import { describe, expect, it } from 'vitest';
import { ConfigError, HelpRequested, help, loadConfig, settings } from '../../server/config.ts';

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
    [{ SIMYARD_REDIS_URL: 'redis://localhost' }, 'SIMYARD_REDIS_URL'],
    [{ SIMYARD_CARRIER_OBJECT: '42770' }, 'must differ'],
  ])('refuses %o with one clear line', (env, message) => {
    expect(() => loadConfig(env, [])).toThrow(ConfigError);
    expect(() => loadConfig(env, [])).toThrow(message);
    try {
      loadConfig(env, []);
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
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
