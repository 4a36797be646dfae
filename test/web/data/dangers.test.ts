import { describe, expect, it } from 'vitest';
import { dangerOf, dangers, questionBefore } from '../../../web/data/dangers.ts';
import { DeviceOperations } from '../../../web/data/device-operations.ts';
import { resourceOf } from '../support/models.ts';

const operations = new DeviceOperations('modem-1');
const ask = (operation: Parameters<typeof questionBefore>[0]) => questionBefore(operation, 'modem-1');

describe('what is dangerous', () => {
  it.each(Object.entries(dangers))('at %s can be executed, and is called so', (path, { verb }) => {
    const [, object, resource] = path.split('/').map(Number) as [number, number, number];
    const { operations: offered, name } = resourceOf(object, resource);
    expect(offered).toBe('E');
    expect(name.toLowerCase()).toContain(verb.split(' ')[0]?.toLowerCase());
  });

  it('is so in every instance, and nowhere else', () => {
    expect(dangerOf('/1/7/4')?.verb).toBe('Disable');
    expect(dangerOf('/3/0/12')).toBeUndefined();
    expect(dangerOf('/33000/0/4')).toBeUndefined();
  });
});

describe('the question before a request', () => {
  it('names the device, what is done, and what that does', () => {
    expect(ask(operations.execute('/3/0/4', []))).toEqual({
      title: 'Reboot: modem-1?',
      effect: expect.stringContaining('restarts'),
      verb: 'Reboot',
    });
    expect(ask(operations.delete('/16/3'))).toMatchObject({
      title: 'Delete /16/3 of modem-1?',
      verb: 'Delete',
    });
  });

  it('has the name typed before what cannot be undone', () => {
    expect(ask(operations.execute('/3/0/5', []))?.typed).toBe('modem-1');
  });

  it('is not asked before what is easily taken back', () => {
    expect(ask(operations.execute('/3/0/12', []))).toBeUndefined();
    expect(ask(operations.read('/3/0/5'))).toBeUndefined();
    expect(ask(operations.write('/3/0/15', 'UTC'))).toBeUndefined();
  });
});
