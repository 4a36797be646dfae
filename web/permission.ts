import { ContextConsumer } from '@lit/context';
import type { LitElement, ReactiveController } from 'lit';
import { meContext } from './contexts.ts';
import type { ApiMe } from './data/api-types.ts';
import { whoMay } from './data/people.ts';

export type Action = ApiMe['may'][number];

/**
 * Disables what the reader may not do: each control of the element that says so, by `data-needs="operate"` or
 * `data-needs="administer"`. The API decides anyway; this is so that nobody tries in vain.
 */
export class Permission implements ReactiveController {
  readonly #host: LitElement;
  readonly #me: ContextConsumer<typeof meContext, LitElement>;

  constructor(host: LitElement) {
    this.#host = host;
    this.#me = new ContextConsumer(host, { context: meContext, subscribe: true });
    host.addController(this);
  }

  may(action: Action): boolean {
    return this.#me.value?.may.includes(action) === true;
  }

  hostUpdated(): void {
    for (const control of this.#host.renderRoot.querySelectorAll<HTMLButtonElement>('[data-needs]')) {
      const action = control.dataset['needs'] as Action;
      if (this.may(action)) continue;
      control.disabled = true;
      control.title = whoMay(action);
    }
  }
}
