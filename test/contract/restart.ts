import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Stores } from '../../server/ports/stores.ts';
import { aProfile, aSession } from './bootstrap-store.ts';
import { aCertificate, aKey, plain } from './credential-store.ts';
import { anObservation, aRegistration, aToken, owned, type PersistentStores, start } from './engine.ts';
import { aModel } from './object-model-store.ts';
import { aChoice, aPolicy } from './observation-policy-store.ts';
import { aDtlsSession } from './session-store.ts';
import { append, readAll } from './telemetry-log.ts';

/** What must be there after the stores were closed and opened again. */
export function describeRestart(name: string, open: () => Promise<PersistentStores>): void {
  describe(`Restart, ${name}`, () => {
    let opened: PersistentStores;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    test('registrations, devices and observations', async () => {
      const before: Stores = opened.stores;
      const registration = aRegistration('a', { identity: { kind: 'psk', name: 'k' } });
      await before.registrations.register(registration);
      await before.observations.add(anObservation('aa', registration));
      await before.devices.setAttributes('a', { iccid: '8901' });
      const after = await opened.restart();
      expect(await after.registrations.byId(registration.id)).toEqual(owned(registration));
      expect(await after.observations.byToken(aToken('a', 'aa'))).toMatchObject({
        address: registration.address,
      });
      expect(await after.devices.list({ limit: 5, now: 0, filter: { search: '8901' } })).toMatchObject({
        total: 1,
      });
      expect((await after.registrations.expire(registration.expiresAt, 5)).length).toBe(1);
    });

    test('observation policies, what people chose, and uploaded object models', async () => {
      const { observationPolicies, objectModels } = opened.stores;
      await observationPolicies.putPolicy(aPolicy('a'));
      await observationPolicies.choose('dev', aChoice('/3/0/9', { wanted: false }));
      await observationPolicies.setWritten('dev', '/4', { pmax: 5 });
      await objectModels.put([aModel(65000, '1.0')]);
      const after = await opened.restart();
      expect(await after.observationPolicies.policies()).toEqual([aPolicy('a')]);
      expect(await after.observationPolicies.record('dev')).toEqual({
        choices: [aChoice('/3/0/9', { wanted: false })],
        written: new Map([['/4', { pmax: 5 }]]),
      });
      expect(await after.objectModels.list()).toEqual([aModel(65000, '1.0')]);
    });

    test('credentials, with their keys', async () => {
      const before = opened.stores.credentials;
      await before.put(aKey('dev', 'id'));
      await before.put(aCertificate('dev', 'name'));
      const after = (await opened.restart()).credentials;
      expect(plain(await after.get('dev'))).toEqual(plain([aKey('dev', 'id'), aCertificate('dev', 'name')]));
    });

    test('bootstrap profiles, assignments and sessions', async () => {
      const { bootstrap } = opened.stores;
      await bootstrap.putProfile(aProfile('fleet'));
      await bootstrap.assign('dev', 'fleet');
      await bootstrap.begin(aSession('dev', 'one'), { ofDevice: 5, ofBucket: 5 });
      const after = (await opened.restart()).bootstrap;
      expect(await after.profiles()).toEqual([aProfile('fleet')]);
      expect(await after.assignment('dev')).toBe('fleet');
      const now = { ...aSession('dev', 'one'), state: 'finished' } as const;
      expect(await after.record(now)).toBe(true);
      expect((await after.sessions({ limit: 5 })).items).toEqual([now]);
    });

    test('DTLS sessions, with what is reserved of their write sequence numbers', async () => {
      const session = aDtlsSession(1);
      await opened.stores.sessions.create(session);
      await opened.stores.sessions.reserve(session.id, 1, 2 * session.reserved, session);
      const { sessions } = await opened.restart();
      expect(await sessions.take(session.id, 1, { ...session, node: 'b', numbers: 10 })).toMatchObject({
        fence: 2,
        writeFrom: 2 * session.reserved,
      });
    });

    test('commands, their keys and their numbers', async () => {
      const command = {
        endpoint: 'a',
        kind: 'k',
        parameters: {},
        createdAt: start,
        expiresAt: start + 1,
        idempotencyKey: 'key',
      };
      const { command: first } = await opened.stores.commands.enqueue(command);
      const { commands } = await opened.restart();
      expect(await commands.head('a')).toEqual(first);
      expect(await commands.enqueue(command)).toMatchObject({ created: false, command: { id: first.id } });
      const next = await commands.enqueue({ ...command, createdAt: start - 1000, idempotencyKey: 'other' });
      expect(next.command.number).toBe(first.number + 1);
    });

    test('the log: entries, keys, cursors, and positions that go on', async () => {
      const { log } = opened.stores;
      const entry = (index: number) => ({
        endpoint: 'a',
        key: `k${index}`,
        receivedAt: index,
        body: Uint8Array.of(index),
      });
      const count = 5000;
      const appended = await Promise.all(
        Array.from({ length: count }, (_, index) => append(log, entry(index))),
      );
      await log.commit('history', 17);
      const all = await readAll(log, 0, 1000);
      const after = (await opened.restart()).log;
      expect(await readAll(after, 0, 1000)).toEqual(all);
      expect(await after.cursor('history')).toBe(17);
      // Some from before and some from after a full block of hashes, and those next to its edge.
      for (const index of [0, 1, 4094, 4095, 4096, 4097, count - 1]) {
        expect(await append(after, entry(index))).toEqual({
          position: appended[index]?.position,
          duplicate: true,
        });
      }
      const { newest } = await after.extent();
      expect((await append(after, entry(count))).position).toBeGreaterThan(newest);
      await after.trim({ now: 0, maxAge: 0, maxBytes: 0 });
      const empty = (await opened.restart()).log;
      expect(await empty.read(0, 5)).toEqual([]);
      expect((await append(empty, entry(count + 1))).position).toBeGreaterThan(newest + 1);
      expect(await readAll(empty, 0, 5)).toHaveLength(1);
    });

    test('a log trimmed in the middle of a turn stays as it is', async () => {
      const { log } = opened.stores;
      const bodies = Array.from({ length: 10 }, (_, index) => new Uint8Array(10).fill(index));
      await Promise.all(
        bodies.map((body, index) => append(log, { endpoint: 'a', key: `${index}`, receivedAt: index, body })),
      );
      await log.trim({ now: 0, maxAge: 1e9, maxBytes: 40 });
      const kept = await readAll(log, 0, 10);
      expect(kept.map((entry) => entry.body)).toEqual(bodies.slice(6));
      const after = (await opened.restart()).log;
      expect(await readAll(after, 0, 10)).toEqual(kept);
      expect(await after.trim({ now: 0, maxAge: 1e9, maxBytes: 40 })).toBe(0);
      expect(await after.trim({ now: 0, maxAge: 1e9, maxBytes: 30 })).toBe(1);
      expect(await after.extent()).toEqual({ oldest: kept[1]?.position, newest: kept[3]?.position });
    });

    test('history, last values, events and statistics', async () => {
      const { history, lastValues, events, statistics } = opened.stores;
      await statistics.add({ at: 60_000, gauges: { known: 1 }, counters: { readings: 2 } });
      const reading = { takenAt: 5, receivedAt: 6, value: 7 };
      await history.append([{ endpoint: 'a', path: '/1/0/1', position: 1, readings: [reading] }]);
      await lastValues.set('a', [{ path: '/1/0/1', ...reading }]);
      const [id] = await events.append([{ type: 'x', at: 1, data: {} }]);
      await events.trim(0);
      const after = await opened.restart();
      await after.statistics.add({ at: 60_000, gauges: {}, counters: { readings: 3 } });
      expect(await after.statistics.read({ step: 'minute', from: 0, to: 90_000 })).toMatchObject([
        { gauges: { known: 1 }, counters: { readings: 5 } },
      ]);
      expect(await after.history.query({ endpoint: 'a', path: '/1/0/1', limit: 5 })).toEqual([reading]);
      expect(await after.lastValues.get('a')).toEqual([{ path: '/1/0/1', ...reading }]);
      expect((await after.events.append([{ type: 'y', at: 1, data: {} }]))[0]).toBeGreaterThan(id as number);
    });
  });
}
