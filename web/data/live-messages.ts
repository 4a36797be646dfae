import type { LiveStatus } from './event-connection.ts';
import type { LiveFilter } from './live-filter.ts';

// What a page and the hub that serves all pages of a browser say to each other. Both are of one build: the
// worker that the hub runs in is named by it.

/** `watch` is a number that the page has given. */
export type ToHub =
  | {
      readonly kind: 'watch';
      readonly watch: number;
      readonly filters: readonly LiveFilter[];
      /** It was watched before, by a hub that is gone: something may have been missed. */
      readonly missed: boolean;
    }
  | { readonly kind: 'unwatch'; readonly watch: number }
  /** Sent at an interval: a page that falls silent is gone. */
  | { readonly kind: 'alive' }
  /** The page is out of sight for long: it wants nothing until it wakes. */
  | { readonly kind: 'sleep' }
  | { readonly kind: 'wake' }
  /** The page is being left. */
  | { readonly kind: 'bye' }
  | { readonly kind: 'retry' };

export type FromHub =
  /** Also the first word to a page. */
  | { readonly kind: 'status'; readonly status: LiveStatus }
  /** The stream has what the watch wants: what is loaded from now on, and what it brings, leave nothing out. */
  | { readonly kind: 'ready'; readonly watch: number }
  | { readonly kind: 'gap'; readonly watch: number }
  | {
      readonly kind: 'event';
      readonly watches: readonly number[];
      readonly type: string;
      /** JSON. */
      readonly data: string;
    }
  /** The answer to `alive`; a page that is not known has been taken for gone, and says again what it wants. */
  | { readonly kind: 'alive'; readonly known: boolean };
