import { expect, test } from 'vitest';
import { WaitingSends } from '../../../server/transport/waiting-sends.ts';

type Where = 'here' | 'elsewhere' | 'nowhere';

function worldOf() {
  const asked: {
    readonly peer: string;
    readonly answer: (where: Where) => void;
    readonly fail: () => void;
  }[] = [];
  const sent: string[] = [];
  const errors: unknown[] = [];
  const sends = new WaitingSends({
    prepare: (peer) =>
      new Promise((answer, reject) =>
        asked.push({ peer, answer, fail: () => reject(new Error('store away')) }),
      ),
    here: (data, peer) => void sent.push(`here ${Buffer.from(data)} ${peer}`),
    elsewhere: (data, peer) => void sent.push(`elsewhere ${Buffer.from(data)} ${peer}`),
    onError: (error) => void errors.push(error),
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { asked, sent, errors, sends, turn };
}

test('what is sent waits until it is known where the session is, and goes in its order', async () => {
  const { asked, sent, sends, turn } = worldOf();
  sends.send(Buffer.from('1'), 'dtls:a');
  sends.send(Buffer.from('2'), 'dtls:a');
  sends.send(Buffer.from('3'), 'dtls:b');
  expect(asked.map(({ peer }) => peer)).toEqual(['dtls:a', 'dtls:b']);
  asked[1]?.answer('elsewhere');
  asked[0]?.answer('here');
  await turn();
  expect(sent.sort()).toEqual(['elsewhere 3 dtls:b', 'here 1 dtls:a', 'here 2 dtls:a']);
});

test('of a session that is nowhere it is lost, and the next one looks again', async () => {
  const { asked, sent, errors, sends, turn } = worldOf();
  sends.send(Buffer.from('1'), 'dtls:a');
  asked[0]?.answer('nowhere');
  await turn();
  sends.send(Buffer.from('2'), 'dtls:a');
  asked[1]?.fail();
  await turn();
  expect([asked.length, sent, errors.length]).toEqual([2, [], 1]);
});

test('no more waits than is bounded, for one session and for all', async () => {
  const { asked, sent, sends, turn } = worldOf();
  for (let index = 0; index < 100; index++) sends.send(Buffer.from('x'), 'dtls:a');
  for (let index = 0; index < 5_000; index++) sends.send(Buffer.from('x'), `dtls:${index}`);
  for (const { answer } of asked) answer('here');
  await turn();
  expect(sent.filter((one) => one.endsWith('dtls:a'))).toHaveLength(8);
  expect(sent).toHaveLength(1_024);
});
