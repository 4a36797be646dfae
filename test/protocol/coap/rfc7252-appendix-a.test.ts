import { describe, expect, test } from 'vitest';
import type { IncomingRequest } from '../../../protocol/coap/exchange.ts';
import { Code, MessageType } from '../../../protocol/coap/message.ts';
import { pathOptions, uriPath } from '../../../protocol/coap/options.ts';
import { hex, text } from '../../support/coap/raw-peer.ts';
import { World } from '../../support/coap/world.ts';

const { CON, NON, ACK, RST } = MessageType;
const temperature = { code: Code.GET, options: pathOptions('/temperature') };

/** Our endpoint as the server of the figures, and a peer that sends what they show. */
function withServer(handler?: (request: IncomingRequest) => void) {
  const world = new World();
  const requests: IncomingRequest[] = [];
  const endpoint = world.endpoint('server', {
    handler: (request) => {
      requests.push(request);
      if (handler !== undefined) handler(request);
      else request.respond({ code: Code.CONTENT, payload: new TextEncoder().encode('22.3 C') });
    },
  });
  return { world, endpoint, requests, client: world.raw('client', 'server') };
}

/** Our endpoint as the client of the figures. */
function withClient() {
  const world = new World();
  return { world, endpoint: world.endpoint('client'), server: world.raw('server', 'client') };
}

describe('RFC 7252 appendix A', () => {
  test('figure 16: a confirmable request without token and its piggybacked response, to the byte', () => {
    const { world, client } = withServer();
    world.link.recording = true;
    client.send({ code: Code.GET, messageId: 0x7d34, path: '/temperature' });
    world.clock.advance(100);
    expect(world.link.log.map(({ data }) => hex(data))).toEqual([
      '40017d34bb74656d7065726174757265',
      '60457d34ff32322e332043',
    ]);
  });

  test('figure 17: the same with a token', () => {
    const { world, client, requests } = withServer();
    world.link.recording = true;
    client.send({ code: Code.GET, messageId: 0x7d35, token: '20', path: '/temperature' });
    world.clock.advance(100);
    expect(world.link.log.map(({ data }) => hex(data))).toEqual([
      '41017d3520bb74656d7065726174757265',
      '61457d3520ff32322e332043',
    ]);
    expect(uriPath((requests[0] as IncomingRequest).options)).toEqual(['temperature']);
  });

  test('figure 18: a request that was lost is sent again after ACK_TIMEOUT and its jitter', async () => {
    const { world, endpoint, server } = withClient();
    const answer = endpoint.request('server', temperature);
    world.clock.advance(1_999);
    // The test is the network here: this one does not arrive.
    const first = server.take();
    expect(server.received).toEqual([]);
    world.clock.advance(1_100);
    const second = server.take();
    expect(second).toEqual(first);
    server.send({
      type: ACK,
      code: Code.CONTENT,
      messageId: second.messageId,
      token: hex(second.token),
      payload: '22.3 C',
    });
    expect(text((await world.settle(answer)).payload)).toBe('22.3 C');
    expect(endpoint.statistics.retransmissions).toBe(1);
  });

  test('figure 19: a response that was lost is sent again for the retransmitted request, which is handled once', () => {
    const { world, client, requests } = withServer();
    let lost = 0;
    world.link.filter = (_data, from) => from === 'server' && lost++ === 0;
    client.send({ code: Code.GET, messageId: 0x7d37, token: '42', path: '/temperature' });
    world.clock.advance(2_500);
    expect(client.received).toEqual([]);
    client.send({ code: Code.GET, messageId: 0x7d37, token: '42', path: '/temperature' });
    world.clock.advance(100);
    expect(client.take()).toMatchObject({ type: ACK, code: Code.CONTENT, messageId: 0x7d37 });
    expect(requests).toHaveLength(1);
  });

  test('figure 20: a separate response follows the empty ACK', () => {
    const { world, client, requests } = withServer(() => {});
    client.send({ code: Code.GET, messageId: 0x7d38, token: '53', path: '/temperature' });
    world.clock.advance(1_500);
    expect(client.take()).toMatchObject({ type: ACK, code: Code.EMPTY, messageId: 0x7d38 });
    (requests[0] as IncomingRequest).respond({
      code: Code.CONTENT,
      payload: new TextEncoder().encode('22.3 C'),
    });
    world.clock.advance(20);
    const response = client.take();
    expect(response).toMatchObject({ type: CON, code: Code.CONTENT });
    expect(hex(response.token)).toBe('53');
    expect(text(response.payload)).toBe('22.3 C');
    client.send({ type: ACK, messageId: response.messageId });
    world.clock.advance(100_000);
    expect(client.received).toEqual([]);
  });

  test('figure 20, the client: the ACK stops retransmission, the separate response is acknowledged', async () => {
    const { world, endpoint, server } = withClient();
    const answer = endpoint.request('server', temperature);
    world.clock.advance(20);
    const request = server.take();
    server.send({ type: ACK, messageId: request.messageId });
    world.clock.advance(60_000);
    expect(server.received).toEqual([]);
    server.send({ code: Code.CONTENT, messageId: 0xad7b, token: hex(request.token), payload: '22.3 C' });
    expect(text((await world.settle(answer)).payload)).toBe('22.3 C');
    world.clock.advance(20);
    expect(server.take()).toMatchObject({ type: ACK, code: Code.EMPTY, messageId: 0xad7b });
  });

  test('figure 21: a client that has lost its state ignores the ACK and rejects the separate response', () => {
    const { world, server } = withClient();
    server.send({ type: ACK, messageId: 0x7d39 });
    world.clock.advance(100);
    expect(server.received).toEqual([]);
    server.send({ code: Code.CONTENT, messageId: 0xad7c, token: '73', payload: '22.3 C' });
    world.clock.advance(100);
    expect(server.take()).toMatchObject({ type: RST, code: Code.EMPTY, messageId: 0xad7c });
  });

  test('figure 21, the server: RST ends the retransmission of the separate response', () => {
    const { world, client, requests } = withServer(() => {});
    client.send({ code: Code.GET, messageId: 0x7d39, token: '73', path: '/temperature' });
    world.clock.advance(1_500);
    client.take();
    (requests[0] as IncomingRequest).respond({ code: Code.CONTENT });
    world.clock.advance(20);
    client.send({ type: RST, messageId: client.take().messageId });
    world.clock.advance(100_000);
    expect(client.received).toEqual([]);
  });

  test('figure 22: a NON request gets a NON response with an id of its own', () => {
    const { world, client } = withServer();
    client.send({ type: NON, code: Code.GET, messageId: 0x7d40, token: '75', path: '/temperature' });
    world.clock.advance(100);
    const response = client.take();
    expect(response).toMatchObject({ type: NON, code: Code.CONTENT });
    expect(hex(response.token)).toBe('75');
    expect(text(response.payload)).toBe('22.3 C');
  });

  test('figure 22, the client: the NON response is taken by its token, and nothing is acknowledged', async () => {
    const { world, endpoint, server } = withClient();
    const answer = endpoint.request('server', { ...temperature, confirmable: false });
    world.clock.advance(20);
    const request = server.take();
    expect(request.type).toBe(NON);
    server.send({
      type: NON,
      code: Code.CONTENT,
      messageId: 0xad7d,
      token: hex(request.token),
      payload: '22.3 C',
    });
    expect(text((await world.settle(answer)).payload)).toBe('22.3 C');
    world.clock.advance(1_000);
    expect(server.received).toEqual([]);
  });

  test('figure 23: two servers answer one multicast token; only the one that was asked counts for a unicast request', async () => {
    const { world, endpoint, server } = withClient();
    const stranger = world.raw('stranger', 'client');
    const answer = endpoint.request('server', { ...temperature, confirmable: false });
    world.clock.advance(20);
    const token = hex(server.take().token);
    stranger.send({ type: NON, code: Code.CONTENT, messageId: 0x60b1, token, payload: '20.9 C' });
    world.clock.advance(20);
    server.send({ type: NON, code: Code.CONTENT, messageId: 0x01a0, token, payload: '22.3 C' });
    const response = await world.settle(answer);
    expect(text(response.payload)).toBe('22.3 C');
    expect(response.peer).toBe('server');
  });
});
