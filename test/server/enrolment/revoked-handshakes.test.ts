import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pskPremasterSecret } from '../../../protocol/dtls/crypto/key-schedule.ts';
import { HandshakeType } from '../../../protocol/dtls/messages/constants.ts';
import { encodePskClientKeyExchange } from '../../../protocol/dtls/messages/key-exchange-messages.ts';
import type { DtlsServerPort, SessionInfo } from '../../../protocol/dtls/types.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { composeEnrolment, type Enrolment } from '../../../server/enrolment/compose-enrolment.ts';
import { Secret } from '../../../server/ports/secret.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { DtlsWorld, KEY } from '../../support/dtls/dtls-world.ts';
import { ScriptedClient } from '../../support/dtls/scripted-client.ts';

const DEVICE = '198.51.100.1:40000';
const identity = { kind: 'psk', name: 'one' } as const;

describe('a credential that is good no more', () => {
  let world: DtlsWorld;
  let stores: Stores;
  let enrolment: Enrolment;
  let port: DtlsServerPort;
  let ended: number;
  let sessions: SessionInfo[];

  beforeEach(async () => {
    world = new DtlsWorld();
    stores = await openEmbeddedStores({ path: ':memory:' });
    ended = 0;
    sessions = [];
    enrolment = composeEnrolment({
      stores,
      events: { publish: () => undefined } as never,
      clock: world.clock,
      log: pino({ level: 'silent' }),
      // Of a node that is not told.
      ends: {
        end: async () => {
          ended += port.endSessions(({ name }) => name === identity.name);
        },
      },
      setTenant: async () => undefined,
      onCutOff: () => undefined,
    });
    const options = enrolment.portOptions('server');
    const onEstablished = (session: SessionInfo): void => {
      sessions.push(session);
      options.events.onEstablished(session);
    };
    ({ port } = world.server({ ...options, events: { ...options.events, onEstablished } }));
    await enrolment.service.create({ account: 'server', endpoint: 'one', identity, key: new Secret(KEY) });
  });
  afterEach(() => stores.close());

  /** Lets the store answer. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) {
      await world.clock.run(20);
      await stores.credentials.get('one');
    }
  };

  test('lets nobody in by a handshake that has asked for it before', async () => {
    const client = new ScriptedClient(world, DEVICE);
    await client.greet();
    client.say(HandshakeType.CLIENT_KEY_EXCHANGE, encodePskClientKeyExchange(Buffer.from('one')));
    await settle();
    await enrolment.service.revoke('one');
    expect(port.handshakes).toBe(1);
    client.secure(pskPremasterSecret(KEY));
    client.finish();
    await settle();
    expect(port.statistics.handshakesDone).toBe(1);
    expect(port.sessions).toBe(0);
    expect(ended).toBe(1);
  });

  test('lets nobody in by the resumption of a session, where the node was not told of its end', async () => {
    const client = world.client(DEVICE);
    world.say(client, 'hello');
    await settle();
    expect(client.received).toHaveLength(1);
    port.closeSession(sessions[0]?.peer ?? '');
    await settle();
    await stores.credentials.change('server', identity, { state: 'revoked' });
    enrolment.lookup.changed();
    world.say(client, 'again');
    await settle();
    expect(sessions.map(({ resumed }) => resumed)).toEqual([false, true]);
    expect(port.sessions).toBe(0);
    expect(ended).toBe(1);
    // And now not by a resumption either.
    world.say(client, 'and again');
    await settle();
    expect(sessions).toHaveLength(2);
  });
});
