import { describe, expect, test } from 'vitest';
import { StoreUnavailableError } from '../../server/ports/errors.ts';
import { describeAuditLog } from './audit-log.ts';
import { describeBootstrapStore } from './bootstrap-store.ts';
import { describeCommandQueue } from './command-queue.ts';
import { describeCredentialStore } from './credential-store.ts';
import { describeDeviceRemoval } from './device-removal.ts';
import { describeDeviceStore } from './device-store.ts';
import { aRegistration, type OpenStores, useStores } from './engine.ts';
import { describeEventLog } from './event-log.ts';
import { describeHistory } from './history.ts';
import { describeHistoryRollUps } from './history-roll-ups.ts';
import { describeIdempotencyStore } from './idempotency-store.ts';
import { describeJobStore } from './job-store.ts';
import { describeLastValues } from './last-values.ts';
import { describeObjectModelStore } from './object-model-store.ts';
import { describeObservationPolicyStore } from './observation-policy-store.ts';
import { describeObservationStore } from './observation-store.ts';
import { describeProfileStore } from './profile-store.ts';
import { describeRegistrationStore } from './registration-store.ts';
import { describeSessionStore } from './session-store.ts';
import { describeStatisticsStore } from './statistics-store.ts';
import { append, describeTelemetryLog } from './telemetry-log.ts';
import { describeUserStore } from './user-store.ts';
import { describeWebhookStore } from './webhook-store.ts';

/** All contract suites for one engine. */
export function describeStores(name: string, open: OpenStores): void {
  describeRegistrationStore(name, open);
  describeObservationStore(name, open);
  describeProfileStore(name, open);
  describeObservationPolicyStore(name, open);
  describeObjectModelStore(name, open);
  describeDeviceStore(name, open);
  describeDeviceRemoval(name, open);
  describeCredentialStore(name, open);
  describeBootstrapStore(name, open);
  describeSessionStore(name, open);
  describeCommandQueue(name, open);
  describeJobStore(name, open);
  describeIdempotencyStore(name, open);
  describeTelemetryLog(name, open);
  describeHistory(name, open);
  describeHistoryRollUps(name, open);
  describeLastValues(name, open);
  describeEventLog(name, open);
  describeWebhookStore(name, open);
  describeStatisticsStore(name, open);
  describeUserStore(name, open);
  describeAuditLog(name, open);
  describeStoresTogether(name, open);
}

/** What holds for all ports of an engine together. */
export function describeStoresTogether(name: string, open: OpenStores): void {
  describe(`Stores, ${name}`, () => {
    const stores = useStores(open);
    const entry = { endpoint: 'a', key: 'k', receivedAt: 1, body: Uint8Array.of(1) };

    test('what has a description takes writes', async () => {
      expect(stores().description).not.toBe('');
      await expect(stores().check()).resolves.toBeUndefined();
    });

    test('closing twice is closing once; what was asked before is done, what comes after is refused', async () => {
      const { registrations, observations, log, close, check } = stores();
      const registered = registrations.register(aRegistration('a'));
      const appended = append(log, entry);
      await Promise.all([close(), close()]);
      expect(await registered).toEqual({ replaced: undefined, fence: 1 });
      expect(await appended).toMatchObject({ duplicate: false });
      await close();
      await expect(observations.count()).rejects.toThrow(StoreUnavailableError);
      await expect(check()).rejects.toThrow(StoreUnavailableError);
      await expect(append(log, { ...entry, key: 'l' })).rejects.toThrow(StoreUnavailableError);
    });

    test('many different calls in one turn are all answered', async () => {
      const { registrations, devices, log, events, commands } = stores();
      const results = await Promise.all([
        registrations.register(aRegistration('a')),
        devices.get('a'),
        append(log, entry),
        events.append([{ type: 'x', at: 1, data: {} }]),
        commands.list({ limit: 1, cursor: 'broken' }).catch((error: Error) => error.name),
        registrations.count(),
      ]);
      expect(results[0]).toEqual({ replaced: undefined, fence: 1 });
      expect(results[2]).toMatchObject({ duplicate: false });
      expect(results[3]).toHaveLength(1);
      expect(results[4]).toBe('RequestError');
      expect(results[5]).toBeTypeOf('number');
      // What was answered is seen by every call after it.
      expect(await devices.get('a')).toMatchObject({ endpoint: 'a' });
      expect((await devices.list({ limit: 1, now: 0 })).total).toBe(1);
    });
  });
}
