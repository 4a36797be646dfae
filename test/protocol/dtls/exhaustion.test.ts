import { describe, expect, test } from 'vitest';
import { HandshakeType } from '../../../protocol/dtls/messages/constants.ts';
import { encodePskClientKeyExchange } from '../../../protocol/dtls/messages/key-exchange-messages.ts';
import { DtlsWorld } from '../../support/dtls/dtls-world.ts';
import { ScriptedClient } from '../../support/dtls/scripted-client.ts';

/** What a peer that hears the answers to it, and has no key, can use up at a server. */
const ATTACKER = '203.0.113.66:6666';

describe('the numbers of handshake messages', () => {
  for (const last of [65_535, 65_534, 65_533, 65_532, 1_024]) {
    test(`come to their end in no handshake that a hello with ${last} begins`, async () => {
      const world = new DtlsWorld();
      const server = world.server();
      const client = new ScriptedClient(world, ATTACKER);
      client.sayHello();
      await world.clock.run(100);
      client.messageSeq = last;
      client.sayHello();
      await world.clock.run(100);
      client.messageSeq = Math.min(client.messageSeq, 65_535);
      client.say(HandshakeType.CLIENT_KEY_EXCHANGE, encodePskClientKeyExchange(Buffer.from('one')));
      await world.clock.run(1_000);
      expect(server.port.statistics).toMatchObject({ cookiesSent: 1, handshakesStarted: 0 });
      expect(server.port.handshakes).toBe(0);
    });
  }
});
