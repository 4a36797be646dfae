/** The load balancer as a process of its own, steered over IPC by balancer-process.ts. */
import { UdpBalancer } from '../support/udp-balancer.ts';

export type BalancerCommand =
  | { readonly kind: 'open'; readonly targets: readonly number[] }
  | { readonly kind: 'set'; readonly target: number; readonly up: boolean };

let balancer: UdpBalancer | undefined;

process.on('message', (command: BalancerCommand) => {
  if (command.kind === 'set') {
    balancer?.set(command.target, command.up);
    return;
  }
  UdpBalancer.open(command.targets).then(
    (opened) => {
      balancer = opened;
      process.send?.(opened.port);
    },
    (error: unknown) =>
      setImmediate(() => {
        throw error;
      }),
  );
});
process.on('disconnect', () => process.exit(0));
