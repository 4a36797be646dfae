import type { IncomingRequest } from '../../protocol/coap/exchange.ts';
import { uriQuery } from '../../protocol/coap/options.ts';
import { RequestError } from '../../protocol/errors.ts';
import { parseParameters, requireEndpoint } from '../lwm2m/registration-request.ts';

/** What a Bootstrap-Request or a Bootstrap-Pack-Request says (OMA-TS-LightweightM2M_Core §6.1.7.1, §6.1.7.7). */
export interface BootstrapRequest {
  readonly endpoint: string;
  /** Preferred Content Format; undefined: none was named. */
  readonly contentFormat: number | undefined;
}

/**
 * Reads the parameters. A client may leave its name out where its credential tells it (1.2).
 * @throws RequestError a parameter that cannot be; its message is the diagnostic payload
 */
export function parseBootstrapRequest({
  options,
  identity,
}: Pick<IncomingRequest, 'options' | 'identity'>): BootstrapRequest {
  const parameters = parseParameters(uriQuery(options));
  const own = identity?.endpoint;
  const endpoint = parameters.endpoint === undefined && own !== undefined ? own : requireEndpoint(parameters);
  const { pct } = parameters.additional;
  if (pct !== undefined && !/^\d{1,5}$/.test(pct)) {
    throw new RequestError(`preferred content format (pct) '${pct.slice(0, 20)}' is no number`);
  }
  return { endpoint, contentFormat: pct === undefined ? undefined : Number(pct) };
}
