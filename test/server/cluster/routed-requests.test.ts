import { expect, test } from 'vitest';
import { TimeoutError } from '../../../protocol/errors.ts';
import { Ownership } from '../../../server/cluster/ownership.ts';
import { routedRequests } from '../../../server/cluster/routed-requests.ts';
import type { IncomingCall } from '../../../server/cluster/rpc.ts';
import { DeviceElsewhereError, DeviceNodeGoneError } from '../../../server/errors.ts';
import { createLog } from '../../../server/log.ts';
import type { DeviceRequestOptions, DeviceRequests } from '../../../server/lwm2m/device-requests.ts';
import { NodeUnreachableError } from '../../../server/ports/cluster-ports.ts';
import type { Registration } from '../../../server/ports/registration-store.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const ME = 'me';
const OTHER = 'other';
const log = createLog('silent');

interface Scene {
  /** The owner, as the store has it. */
  owner: string;
  readonly asked: string[];
  readonly requests: DeviceRequests;
  readonly ownership: Ownership;
  readonly released: string[];
  readonly serve: (method: string, args: readonly unknown[]) => unknown;
}

interface Setting {
  /** What another node answers. */
  readonly remote?: (node: string, args: readonly unknown[], scene: Scene) => Promise<unknown>;
  /** What happens at this node, where it owns the device. */
  readonly local?: (scene: Scene, options: DeviceRequestOptions) => Promise<unknown>;
  readonly sharesAddress?: boolean;
  readonly members?: readonly string[];
}

function open(owner: string, setting: Setting = {}): Scene {
  const { remote, local, sharesAddress = false, members = [ME, OTHER] } = setting;
  const clock = new FakeClock();
  const asked: string[] = [];
  const released: string[] = [];
  const served = new Map<string, (args: readonly unknown[], call: IncomingCall) => unknown>();
  const current = (): Registration =>
    ({ id: 'r1', endpoint: 'd', node: scene.owner, address: '10.0.0.1:1', updatedAt: 100 }) as Registration;
  const registrations = {
    byId: async () => current(),
    byEndpoint: async () => current(),
    claim: async (_id: string, node: string, from?: string) => {
      if (from !== undefined && from !== scene.owner) return undefined;
      const previousNode = scene.owner;
      scene.owner = node;
      return { registration: current(), previousNode };
    },
  };
  const rpc = {
    serve: (
      _service: string,
      handlers: Record<string, (args: readonly unknown[], call: IncomingCall) => unknown>,
    ) => {
      for (const [name, handler] of Object.entries(handlers)) served.set(name, handler);
    },
    call: async (node: string, service: string, method: string, args: readonly unknown[]) => {
      asked.push(`${node} ${method}`);
      if (service === 'ownership') return undefined;
      return remote?.(node, args, scene);
    },
  };
  const ownership = new Ownership({
    node: ME,
    members: { isThere: (name) => members.includes(name), sharesAddress: () => sharesAddress },
    rpc,
    registrations,
    log,
    onReleased: async ({ id }, { kind }) => void released.push(`${id} ${kind}`),
    onOwned: () => undefined,
    onHandedOver: () => undefined,
  });
  const read = async (_endpoint: string, _path: string, options: DeviceRequestOptions) => {
    if (scene.owner !== ME) throw new DeviceElsewhereError('d', scene.owner);
    asked.push('me read');
    return local === undefined ? 'mine' : local(scene, options);
  };
  const requests = routedRequests({
    local: { read } as unknown as DeviceRequests,
    node: ME,
    rpc,
    members: { isGone: async (name) => !members.includes(name) },
    ownership,
    registrations,
    clock,
    timeout: 10_000,
  });
  const call: IncomingCall = { from: OTHER, timeout: 1_000, signal: new AbortController().signal };
  const scene: Scene = {
    owner,
    asked,
    requests,
    ownership,
    released,
    serve: (method, args) => served.get(method)?.(args, call),
  };
  return scene;
}

test('a device of this node is asked here, and nobody else', async () => {
  const { requests, asked } = open(ME);
  expect(await requests.read('d', '/3/0/9')).toBe('mine');
  expect(asked).toEqual(['me read']);
});

test('a device of another node is asked by that one alone', async () => {
  const { requests, asked } = open(OTHER, { remote: async () => ({ value: 'its' }) });
  expect(await requests.read('d', '/3/0/9')).toBe('its');
  expect(asked).toEqual(['other read']);
});

test('a request goes after a device that moves while it is on its way', async () => {
  const there: string[] = [];
  const { requests } = open(OTHER, {
    remote: async (node, _args, scene) => {
      there.push(node);
      if (node === 'third') return { value: 'here' };
      scene.owner = 'third';
      throw new DeviceElsewhereError('d', 'third');
    },
  });
  expect(await requests.read('d', '/3/0/9')).toBe('here');
  expect(there).toEqual([OTHER, 'third']);
});

test('it comes back where the device came to this node meanwhile', async () => {
  const { requests, asked } = open(OTHER, {
    remote: async (_node, _args, scene) => {
      scene.owner = ME;
      throw new DeviceElsewhereError('d', ME);
    },
  });
  expect(await requests.read('d', '/3/0/9')).toBe('mine');
  expect(asked).toEqual(['other read', 'me read']);
});

test('what may have reached the device is not asked a second time', async () => {
  const { requests, asked } = open(OTHER, {
    remote: async () => {
      throw new TimeoutError('the device went to another node while it was asked, and may have done it');
    },
  });
  await expect(requests.read('d', '/3/0/9')).rejects.toThrow(TimeoutError);
  expect(asked).toEqual(['other read']);
});

test('the devices of a node that is gone are this one’s to ask, where they know both by one address', async () => {
  const { requests, asked } = open(OTHER, {
    sharesAddress: true,
    members: [ME],
    remote: async () => {
      throw new NodeUnreachableError('it is not there', true);
    },
  });
  expect(await requests.read('d', '/3/0/9')).toBe('mine');
  expect(asked).toEqual(['other read', 'me read']);
});

test('a node that was not connected for a moment keeps them, and is asked again', async () => {
  let connected = false;
  const scene = open(OTHER, {
    sharesAddress: true,
    remote: async () => {
      if (connected) return { value: 'its' };
      connected = true;
      throw new NodeUnreachableError('it is not there', true);
    },
  });
  expect(await scene.requests.read('d', '/3/0/9')).toBe('its');
  expect(scene.owner).toBe(OTHER);
});

test('where they do not, the caller learns that the node is gone', async () => {
  const scene = open(OTHER, {
    members: [ME],
    remote: async () => {
      throw new NodeUnreachableError('it is not there', true);
    },
  });
  await expect(scene.requests.read('d', '/3/0/9')).rejects.toThrow(DeviceNodeGoneError);
  expect(scene.owner).toBe(OTHER);
});

test('a node that is slow to answer keeps its devices: it may be at it', async () => {
  const scene = open(OTHER, {
    sharesAddress: true,
    remote: async () => {
      throw new NodeUnreachableError('it did not answer in time');
    },
  });
  await expect(scene.requests.read('d', '/3/0/9')).rejects.toThrow(/did not answer/);
  expect(scene.owner).toBe(OTHER);
});

test('of several nodes that would take over from one that is gone, one does', async () => {
  const scene = open(OTHER, { sharesAddress: true, members: [ME] });
  const registration = { id: 'r1', endpoint: 'd', node: OTHER } as Registration;
  scene.owner = 'faster';
  expect(await scene.ownership.claimFromGone(registration)).toBeUndefined();
  scene.owner = OTHER;
  expect(await scene.ownership.claimFromGone(registration)).toMatchObject({ node: ME });
});

test('letting go is overtaken by the device’s return', async () => {
  const scene = open(ME);
  await scene.serve('release', ['r1', 'd', { kind: 'moved', address: '10.0.0.1:1', to: OTHER }]);
  expect(scene.released).toEqual([]);
  scene.owner = OTHER;
  await scene.serve('release', ['r1', 'd', { kind: 'moved', address: '10.0.0.1:1', to: OTHER }]);
  // A registration of before is over, wherever the new one is.
  scene.owner = ME;
  await scene.serve('release', ['r0', 'd', { kind: 'anew' }]);
  expect(scene.released).toEqual(['r1 moved', 'r0 anew']);
});

test('a device that was heard here is claimed, unless it has spoken to the other node since', async () => {
  const scene = open(OTHER);
  await scene.ownership.claimHeard(new Map([['d', 99]]));
  expect(scene.owner).toBe(OTHER);
  await scene.ownership.claimHeard(new Map([['d', 101]]));
  expect(scene.owner).toBe(ME);
  expect(scene.asked).toEqual(['other release']);
});

test('another node gets what it asked for, with the answer that a cancellation tells', async () => {
  const scene = open(ME);
  expect(await scene.serve('read', ['d', '/3/0/9', {}])).toEqual({ value: 'mine' });
  scene.owner = OTHER;
  await expect(scene.serve('read', ['d', '/3/0/9', {}])).rejects.toThrow(DeviceElsewhereError);
});
