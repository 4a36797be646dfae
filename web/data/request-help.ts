import type { ApiProblem } from './api-types.ts';

/** What a reader can do about an error, by its code (docs/errors.md). */
const help: Readonly<Record<string, string>> = {
  device_bad_request:
    'The device could not make sense of it: another content format may help, or a value within its limits.',
  device_forbidden:
    'This server may not do that there: look at Access Control (object 2) and the account in object 1.',
  device_not_found: 'The device has no such place. Discover shows what there is.',
  device_method_not_allowed: 'A device may offer less than its definition says.',
  device_not_acceptable: 'It does not speak this content format: choose “best”.',
  device_unsupported_format: 'It does not speak this content format: choose “best”.',
  device_timeout:
    'Nobody answered in time. A longer timeout may help; a device that sleeps is waited for with “hold”.',
  not_registered: 'Hold the request: it is kept until the device registers.',
  too_many_requests: 'Wait for those that are under way, or cancel commands that are held for the device.',
  not_observed: 'It is not observed: there is nothing to end.',
  unreachable: 'Whether the device got the request is not known.',
};

export function helpFor({ code }: Pick<ApiProblem, 'code'>): string | undefined {
  return help[code];
}

/** All codes that there is help for. */
export const helpedCodes: readonly string[] = Object.keys(help);
