import type { ReactiveController, ReactiveControllerHost } from 'lit';

/** Rows beyond the edges that are drawn too, so that scrolling meets no gap. */
const spare = 12;

/**
 * Which rows of a long list are in sight, whatever it is that scrolls: only these are drawn. All rows have the same
 * height. The host is drawn anew when others come into sight.
 */
export class VisibleRows implements ReactiveController {
  readonly #host: ReactiveControllerHost & HTMLElement;
  readonly #list: () => Element | null;
  readonly #rowHeight: number;
  readonly #listened: EventTarget[] = [];
  #frame: number | undefined;
  first = 0;
  /** Not included. */
  end = 2 * spare;

  constructor(host: ReactiveControllerHost & HTMLElement, rowHeight: number, list: () => Element | null) {
    this.#host = host;
    this.#rowHeight = rowHeight;
    this.#list = list;
    host.addController(this);
  }

  hostConnected(): void {
    // A scroll event does not leave the shadow tree that it is in: each that is around the list is listened to.
    for (let at: Node | null = this.#host; at !== null; at = outside(at)) {
      if (at instanceof Element) this.#listen(at, 'scroll');
    }
    this.#listen(document, 'scroll');
    this.#listen(window, 'resize');
    this.#moved();
  }

  hostDisconnected(): void {
    for (const target of this.#listened.splice(0)) {
      target.removeEventListener('scroll', this.#moved);
      target.removeEventListener('resize', this.#moved);
    }
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  hostUpdated(): void {
    this.#moved();
  }

  #listen(target: EventTarget, event: 'scroll' | 'resize'): void {
    target.addEventListener(event, this.#moved, { passive: true });
    this.#listened.push(target);
  }

  readonly #moved = (): void => {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#look();
    });
  };

  #look(): void {
    const top = this.#list()?.getBoundingClientRect().top;
    if (top === undefined) return;
    const first = Math.max(0, Math.floor(-top / this.#rowHeight) - spare);
    const end = Math.max(first, Math.ceil((innerHeight - top) / this.#rowHeight)) + spare;
    // Half of what is spare has to be used up first: not every pixel is a reason to draw.
    const near = (a: number, b: number): boolean => Math.abs(a - b) < spare / 2;
    if (near(first, this.first) && near(end, this.end)) return;
    this.first = first;
    this.end = end;
    this.#host.requestUpdate();
  }
}

function outside(node: Node): Node | null {
  if (node instanceof Element && node.assignedSlot !== null) return node.assignedSlot;
  return node instanceof ShadowRoot ? node.host : node.parentNode;
}
