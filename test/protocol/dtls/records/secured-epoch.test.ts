import { describe, expect, test } from 'vitest';
import { ContentType } from '../../../../protocol/dtls/messages/constants.ts';
import { KeyCache } from '../../../../protocol/dtls/records/key-cache.ts';
import { type DtlsRecord, readRecord } from '../../../../protocol/dtls/records/record.ts';
import { Rejected, SecuredEpoch } from '../../../../protocol/dtls/records/secured-epoch.ts';

const CCM_8 = 0xc0a8;
const ID = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function bytes(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => first + at);
}

function pair(clientId?: Uint8Array, serverId?: Uint8Array, capacity = 8) {
  const cache = new KeyCache(capacity);
  const side = (role: 'client' | 'server', own?: Uint8Array, peer?: Uint8Array) =>
    new SecuredEpoch(
      {
        suite: CCM_8,
        keys: { client: bytes(20, 0), server: bytes(20, 50) },
        role,
        ownConnectionId: own,
        peerConnectionId: peer,
      },
      cache,
    );
  return { cache, client: side('client', clientId, serverId), server: side('server', serverId, clientId) };
}

function parse(data: Uint8Array, idLength = 8): DtlsRecord {
  const record = readRecord(data, 0, idLength);
  if (record === undefined) throw new Error('no record');
  return record;
}

describe('a protected record', () => {
  test('without connection id is opened by the other side, and by it alone', () => {
    const { client, server } = pair();
    const sealed = client.seal(ContentType.APPLICATION_DATA, Buffer.from('hello'));
    expect(sealed[0]).toBe(ContentType.APPLICATION_DATA);
    expect(sealed).toHaveLength(13 + 8 + 5 + 8);
    const opened = server.open(parse(sealed));
    expect(opened).toMatchObject({ type: ContentType.APPLICATION_DATA });
    expect(typeof opened === 'number' ? '' : Buffer.from(opened.content).toString()).toBe('hello');
    expect(client.open(parse(sealed))).toBe(Rejected.FORGED);
  });

  test('with a connection id hides its type', () => {
    const { client, server } = pair(new Uint8Array(0), ID);
    const sealed = client.seal(ContentType.ALERT, Uint8Array.of(1, 0));
    expect(sealed[0]).toBe(ContentType.TLS12_CID);
    expect([...sealed.subarray(11, 19)]).toEqual([...ID]);
    expect(server.open(parse(sealed))).toMatchObject({ type: ContentType.ALERT, content: Buffer.of(1, 0) });
    // The client has asked for none.
    expect(server.seal(ContentType.ALERT, Uint8Array.of(1, 0))[0]).toBe(ContentType.ALERT);
  });

  test('may end in zeros behind its type, and must have a type (RFC 9146 §4)', () => {
    const { client, server } = pair(new Uint8Array(0), ID);
    // seal() appends a type: what comes before it may end in another type and be padded by a type of zero.
    const padded = client.seal(0, Buffer.from([7, 7, ContentType.APPLICATION_DATA, 0, 0, 0]));
    expect(server.open(parse(padded))).toMatchObject({
      type: ContentType.APPLICATION_DATA,
      content: Buffer.of(7, 7),
    });
    expect(server.open(parse(client.seal(0, Buffer.alloc(5))))).toBe(Rejected.UNFIT);
  });

  test('is refused without the connection id that was agreed on, and with one that was not', () => {
    const { client } = pair();
    const { server: withId, client: clientWithId } = pair(new Uint8Array(0), ID);
    expect(withId.open(parse(client.seal(23, Buffer.from('a'))))).toBe(Rejected.UNFIT);
    const { server } = pair();
    expect(server.open(parse(clientWithId.seal(23, Buffer.from('a'))))).toBe(Rejected.UNFIT);
  });

  test('is refused when any of its bits was changed', () => {
    for (const ids of [[], [new Uint8Array(0), ID]]) {
      const { client, server } = pair(ids[0], ids[1]);
      const sealed = client.seal(ContentType.APPLICATION_DATA, Buffer.from('hello'));
      let tried = 0;
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const forged = Uint8Array.from(sealed);
        forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
        const record = readRecord(forged, 0, 8);
        if (record === undefined || record.end !== forged.length) continue;
        tried++;
        expect(typeof server.open(record)).toBe('number');
      }
      expect(tried).toBeGreaterThan(sealed.length * 8 - 40);
      expect(typeof server.open(parse(sealed))).toBe('object');
    }
  });

  test('is refused the second time, once it was accepted', () => {
    const { client, server } = pair();
    const record = parse(client.seal(23, Buffer.from('a')));
    expect(typeof server.open(record)).toBe('object');
    server.window.accept(record.sequence);
    expect(server.open(record)).toBe(Rejected.REPLAYED);
  });

  test('of another epoch or version is refused', () => {
    const { client, server } = pair();
    const sealed = client.seal(23, Buffer.from('a'));
    for (const [at, value] of [
      [4, 2],
      [4, 0],
      [2, 0xff],
    ] as const) {
      const other = Uint8Array.from(sealed);
      other[at] = value;
      expect(server.open(parse(other))).toBe(Rejected.UNFIT);
    }
  });

  test('never has the number of another one', () => {
    const { client } = pair();
    const numbers = Array.from({ length: 50 }, () => parse(client.seal(23, Buffer.from('a'))).sequence);
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, at) => at));
    client.resume(1_000, undefined);
    expect(parse(client.seal(23, Buffer.from('a'))).sequence).toBe(1_000);
  });

  test('is not made with keys that were wiped', () => {
    const { client, server } = pair();
    const record = parse(client.seal(23, Buffer.from('a')));
    client.wipe();
    server.wipe();
    expect(() => client.seal(23, Buffer.from('a'))).toThrow('over');
    expect(server.open(record)).toBe(Rejected.UNFIT);
    expect([...client.keys.client, ...client.keys.server].every((byte) => byte === 0)).toBe(true);
  });
});

describe('the cache of keys', () => {
  test('keeps those of the sessions that are in use, and makes the others again', () => {
    const cache = new KeyCache(3);
    const make = () =>
      new SecuredEpoch(
        {
          suite: CCM_8,
          keys: { client: bytes(20, 0), server: bytes(20, 50) },
          role: 'client',
          ownConnectionId: undefined,
          peerConnectionId: undefined,
        },
        cache,
      );
    const epochs = Array.from({ length: 10 }, make);
    for (const epoch of epochs) epoch.seal(23, Buffer.from('a'));
    expect(cache.size).toBe(3);
    expect(epochs.filter(({ protections }) => protections !== undefined)).toHaveLength(3);
    for (const epoch of epochs) expect(epoch.seal(23, Buffer.from('a'))).toHaveLength(13 + 8 + 1 + 8);
    // One that is used all the time stays.
    const [favourite] = epochs;
    let remade = 0;
    for (const epoch of epochs) {
      if (favourite?.protections === undefined) remade++;
      favourite?.seal(23, Buffer.from('a'));
      epoch.seal(23, Buffer.from('a'));
    }
    expect(remade).toBeLessThan(5);
    for (const epoch of epochs) epoch.wipe();
    expect(cache.size).toBe(0);
  });
});
