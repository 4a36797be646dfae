import { describe, expect, it } from 'vitest';
import { NotificationHistory } from '../../../client/lwm2m/notification-history.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';

const moment = (time: number, ...paths: string[]): LwM2mRecord[] =>
  paths.map((path) => ({ path, value: time * 10, time }));
const told = (records: readonly LwM2mRecord[]): string[] =>
  records.map(({ path, time }) => `${path} at ${time}`);

describe('a history of notifications', () => {
  it('gives moments back in their order, as many as wanted, each whole', () => {
    const history = new NotificationHistory();
    for (const time of [1, 2, 3]) history.add(moment(time, '/3/0/9', '/3/0/10'), () => 9);
    expect(told(history.take(3))).toEqual(['/3/0/9 at 1', '/3/0/10 at 1', '/3/0/9 at 2', '/3/0/10 at 2']);
    expect(told(history.takeMoment())).toEqual(['/3/0/9 at 3', '/3/0/10 at 3']);
    expect([history.length, history.take(5)]).toEqual([0, []]);
  });

  it('keeps of each path the newest, as many as it may have, and nothing of others', () => {
    const history = new NotificationHistory();
    const most = (path: string): number | undefined => ({ '/3/0/9': 2, '/3/0/10': 1 })[path];
    for (const time of [1, 2, 3]) history.add(moment(time, '/3/0/9', '/3/0/10', '/3/0/11'), most);
    expect(told(history.take(10))).toEqual(['/3/0/9 at 2', '/3/0/9 at 3', '/3/0/10 at 3']);
  });

  it('takes back what was not delivered, before what came since, and within the same bounds', () => {
    const history = new NotificationHistory();
    for (const time of [1, 2]) history.add(moment(time, '/3/0/9'), () => 3);
    const taken = history.take(10);
    for (const time of [3, 4]) history.add(moment(time, '/3/0/9'), () => 3);
    history.restore(taken, () => 3);
    expect(told(history.take(10))).toEqual(['/3/0/9 at 2', '/3/0/9 at 3', '/3/0/9 at 4']);
  });

  it('keeps its order, however often what was taken comes back', () => {
    const history = new NotificationHistory();
    history.add(moment(1, '/3/0/9'), () => 9);
    history.add(moment(2, '/3/0/9', '/3/0/10'), () => 9);
    history.restore(history.take(10), () => 9);
    for (let i = 0; i < 3; i++) history.restore(history.takeMoment(), () => 9);
    expect(told(history.takeMoment())).toEqual(['/3/0/9 at 1']);
    expect(told(history.takeMoment())).toEqual(['/3/0/9 at 2', '/3/0/10 at 2']);
  });

  it('holds less of what is long, and gives less of it at once', () => {
    const budget = { used: 0 };
    const history = new NotificationHistory(budget);
    for (let time = 0; time < 1_000; time++) {
      history.add([{ path: '/19/0/0', value: new Uint8Array(6_400), time }], () => 1e9);
    }
    expect(history.length).toBe(99);
    const some = history.take(200);
    expect(told(some)).toEqual(['/19/0/0 at 901', '/19/0/0 at 902']);
    history.restore(some, () => 1e9);
    expect(history.length).toBe(99);
    history.clear();
    expect(budget.used).toBe(0);
  });

  it('shares its bounds with the others of its server', () => {
    const budget = { used: 0 };
    const [one, other] = [new NotificationHistory(budget), new NotificationHistory(budget)];
    for (let time = 0; time < 9_999; time++) one.add(moment(time, '/3/0/9'), () => 1e9);
    for (let time = 0; time < 3; time++) other.add(moment(time, '/3/0/10', '/3/0/11'), () => 1e9);
    expect([one.length, other.length, budget.used]).toEqual([9_999, 1, 10_000]);
    one.clear();
    other.add(moment(9, '/3/0/10', '/3/0/11'), () => 1e9);
    expect([one.length, other.length, budget.used]).toEqual([0, 3, 3]);
    other.take(10);
    expect(budget.used).toBe(0);
  });

  it('is bounded, whatever a server asks for', () => {
    const history = new NotificationHistory();
    for (let time = 0; time < 10_500; time++) history.add(moment(time, '/3/0/9'), () => 1e9);
    expect(history.length).toBe(10_000);
    expect(history.takeMoment()[0]?.time).toBe(500);
  });
});
