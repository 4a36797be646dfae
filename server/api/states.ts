import { RequestError } from '../../protocol/errors.ts';

/**
 * A list of states by comma.
 * @throws RequestError one of them is none
 */
export function statesOf<State extends string>(text: string, states: readonly State[]): State[] {
  return text.split(',').map((name) => {
    const known = states.find((state) => state === name);
    if (known === undefined) throw new RequestError(`'${name}' is no state: ${states.join(', ')}`);
    return known;
  });
}
