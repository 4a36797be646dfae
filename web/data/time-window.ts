/** What the plots show of time; ms since the epoch. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/** Ranges to choose from; ms. */
export const ranges = [
  { label: '10 s', span: 10_000 },
  { label: '1 min', span: 60_000 },
  { label: '10 min', span: 600_000 },
  { label: '1 h', span: 3_600_000 },
  { label: '6 h', span: 6 * 3_600_000 },
  { label: '24 h', span: 24 * 3_600_000 },
  { label: '7 d', span: 7 * 24 * 3_600_000 },
  { label: '30 d', span: 30 * 24 * 3_600_000 },
] as const;

/** `following` goes with the time; `held` stays where the reader stopped it or picked it. */
export type View =
  | { readonly mode: 'following'; readonly span: number }
  | { readonly mode: 'held'; readonly span: number; readonly window: TimeWindow };

const shortestSpan = 20;
const longestSpan = 400 * 24 * 3_600_000;

export function windowOf(view: View, now: number): TimeWindow {
  return view.mode === 'held' ? view.window : { from: now - view.span, to: now };
}

export function follow(span: number): View {
  return { mode: 'following', span };
}

/** Stops the time where it is. `span` is what it goes back to. */
export function hold(view: View, now: number): View {
  return { mode: 'held', span: view.span, window: windowOf(view, now) };
}

/** Looks at a part that the reader has picked. */
export function pick(view: View, window: TimeWindow): View {
  const middle = (window.from + window.to) / 2;
  const half = Math.min(longestSpan, Math.max(shortestSpan, window.to - window.from)) / 2;
  return { mode: 'held', span: view.span, window: { from: middle - half, to: middle + half } };
}

/** `factor` < 1 shows less time, around the middle of what is shown (around now while following). */
export function zoom(view: View, factor: number, now: number): View {
  if (view.mode === 'following') {
    const span = Math.min(longestSpan, Math.max(1000, view.span * factor));
    return { mode: 'following', span };
  }
  const { from, to } = view.window;
  const middle = (from + to) / 2;
  const half = ((to - from) / 2) * factor;
  // Never into the future: there is nothing to see.
  const end = Math.min(now, middle + half);
  return pick(view, { from: end - 2 * half, to: end });
}

/** `part` of the window to the left (negative) or right; at the present it follows again. */
export function pan(view: View, part: number, now: number): View {
  const { from, to } = windowOf(view, now);
  const step = (to - from) * part;
  if (to + step >= now) return follow(view.span);
  return pick(view, { from: from + step, to: to + step });
}
