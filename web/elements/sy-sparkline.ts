import { css, html, LitElement, svg } from 'lit';
import { type Points, sparkline } from '../data/overview.ts';

/** A day as a small line: its shape, without numbers. Gaps are gaps. */
export class Sparkline extends LitElement {
  static override properties = {
    points: { attribute: false },
    step: { type: Number },
    to: { type: Number },
    tone: { type: String },
  };

  static override styles = css`
    :host {
      display: block;
      height: 32px;
      color: var(--sy-plot-line);
    }
    :host([tone='bad']) {
      color: var(--sy-bad);
    }
    svg {
      display: block;
      width: 100%;
      height: 100%;
      overflow: visible;
    }
    polyline {
      fill: none;
      stroke: currentColor;
      stroke-width: 1.5;
      stroke-linejoin: round;
      stroke-linecap: round;
      vector-effect: non-scaling-stroke;
    }
    line {
      stroke: var(--sy-rule);
      vector-effect: non-scaling-stroke;
    }
  `;

  declare points: Points;
  declare step: number;
  declare to: number;
  declare tone: string;

  constructor() {
    super();
    this.points = [];
    this.step = 0;
    this.to = 0;
    this.tone = '';
  }

  override render() {
    return html`<svg viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <line x1="0" y1="23.5" x2="100" y2="23.5"></line>
      ${sparkline(this.points, this.step, this.to).map(
        (line) =>
          // A single point is a short dash.
          svg`<polyline points=${line.includes(' ') ? line : `${line} ${line}`}></polyline>`,
      )}
    </svg>`;
  }
}

customElements.define('sy-sparkline', Sparkline);
