import { beforeEach, describe, expect, it } from 'vitest';
import { Attachment } from '../../../client/modem/attachment.ts';

let told: string[];
let silent: (() => void) | undefined;
let attachment: Attachment;

beforeEach(() => {
  told = [];
  silent = undefined;
  attachment = new Attachment({
    detach: () => {
      told.push('leaves');
      return new Promise<void>((resolve) => {
        silent = resolve;
      });
    },
    attach: (anew) => void told.push(anew ? 'comes anew' : 'comes'),
  });
});

const turns = async () => {
  for (let i = 0; i < 8; i++) await Promise.resolve();
};

describe('whether a modem is on the network', () => {
  it('is so until there is a reason not to be, and again when there is none', async () => {
    const left = attachment.leave('card');
    expect(attachment.isAttached).toBe(false);
    silent?.();
    await left;
    expect([attachment.isAttached, attachment.isAbsentFor('card')]).toEqual([false, true]);
    attachment.join('card');
    expect([attachment.isAttached, told]).toEqual([true, ['leaves', 'comes']]);
  });

  it('is not so while one of several reasons holds; it leaves and comes once', async () => {
    const both = [attachment.leave('card'), attachment.leave('firmware')];
    silent?.();
    await Promise.all(both);
    attachment.join('card');
    expect(told).toEqual(['leaves']);
    attachment.join('firmware', true);
    expect(told).toEqual(['leaves', 'comes anew']);
  });

  it('remembers that it is to come anew, whichever reason is the last to go', async () => {
    const both = [attachment.leave('reboot'), attachment.leave('disabled')];
    silent?.();
    await Promise.all(both);
    attachment.join('reboot', true);
    attachment.join('disabled');
    expect(told).toEqual(['leaves', 'comes anew']);
  });

  it('waits until it is silent before it comes back', async () => {
    const left = attachment.leave('reattach');
    attachment.join('reattach');
    await turns();
    expect(told).toEqual(['leaves']);
    silent?.();
    await left;
    expect([told, attachment.isAttached]).toEqual([['leaves', 'comes'], true]);
  });

  it('resolves for each who asks when it is silent, and not before', async () => {
    const order: string[] = [];
    const first = attachment.leave('card').then(() => order.push('first'));
    const second = attachment.leave('reboot').then(() => order.push('second'));
    await turns();
    expect(order).toEqual([]);
    silent?.();
    await Promise.all([first, second]);
    expect(order.sort()).toEqual(['first', 'second']);
  });

  it('says that it is there again where it never left: another network', () => {
    attachment.join('card');
    expect(told).toEqual(['comes']);
  });
});
