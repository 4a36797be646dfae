import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext, clockContext } from '../contexts.ts';
import type { ApiCarrierSlot, ApiCommand, ApiDevice, ApiProblem } from '../data/api-types.ts';
import { lifetimeEnd } from '../data/device-list.ts';
import { isRegistered } from '../data/device-state.ts';
import type { LastValues } from '../data/last-values.ts';
import { carrierLabel, clipped } from '../data/names.ts';
import { asProblem } from '../data/problem.ts';
import { carrierObjectId } from '../data/sensors.ts';
import { carrierSince, isDisconnect, isFinal, switchEffect, switchTitle } from '../data/switch-progress.ts';
import { clockTime } from '../data/time.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import type { SwitchDialog } from './sy-switch-dialog.ts';
import './sy-problem-panel.ts';
import './sy-sim-card.ts';
import './sy-switch-dialog.ts';
import './sy-switch-history.ts';
import './sy-switch-timeline.ts';

/** How long the steps of a switch that has ended stay on the page. */
const lingerMs = 10 * 60_000;
const reconnectAfterResource = 11;

/** The SIM of a device: on which carrier it is, and the switch to another. Fires `command-given`. */
export class CarrierPanel extends LitElement {
  static override properties = {
    device: { attribute: false },
    slots: { attribute: false },
    commands: { attribute: false },
    values: { attribute: false },
    problem: { state: true },
    cancelling: { state: true },
  };

  static override styles = [
    base,
    controls,
    skeletons,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 24px;
      }
      section {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 12px;
      }
      .choices {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .choices button {
        max-width: 100%;
        overflow-wrap: anywhere;
      }
      .hint {
        color: var(--sy-text-2);
      }
      .bone.card {
        height: 208px;
        border-radius: 12px;
      }
      .progress {
        display: grid;
        gap: 8px;
        padding: 12px 16px;
        border: 1px solid var(--sy-rule);
        border-radius: var(--sy-radius);
        background: var(--sy-surface);
      }
      .progress button {
        justify-self: start;
      }
    `,
  ];

  declare device: ApiDevice;
  declare slots: readonly ApiCarrierSlot[] | undefined;
  declare commands: readonly ApiCommand[];
  declare values: LastValues;
  declare problem: ApiProblem | undefined;
  declare cancelling: boolean;

  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #clock = new ContextConsumer(this, { context: clockContext });

  constructor() {
    super();
    this.commands = [];
    this.values = new Map();
    this.problem = undefined;
    this.cancelling = false;
  }

  override render() {
    if (this.slots === undefined) return html`<i class="bone card"></i>`;
    if (this.slots.length === 0) {
      return html`<section>
        <h2>Carrier</h2>
        <p class="hint">
          This device lists no Carrier object (${carrierObjectId}): its carrier cannot be seen or switched from here.
        </p>
      </section>`;
    }
    return html`${this.slots.map((slot) => this.#slot(slot))}
      <sy-switch-dialog @command-given=${this.#given}></sy-switch-dialog>
      <sy-switch-history .commands=${this.commands}></sy-switch-history>`;
  }

  #slot(slot: ApiCarrierSlot) {
    const command = this.#command(slot);
    const busy = command !== undefined && !isFinal(command);
    return html`<section aria-label=${`SIM ${slot.slot + 1}`}>
      <sy-sim-card .slotStatus=${slot} .progress=${busy ? command.state : undefined} .since=${carrierSince(slot, this.commands)}></sy-sim-card>
      ${command === undefined ? nothing : this.#progress(command)}
      ${
        this.problem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`
      }
      ${this.#choices(slot, busy)}
    </section>`;
  }

  /** The newest that is known of this slot's command: the events may be ahead of the slot's own answer. */
  #command(slot: ApiCarrierSlot): ApiCommand | undefined {
    const ofSlot = this.commands.filter(({ parameters }) => (parameters['slot'] ?? 0) === slot.slot);
    const command = ofSlot.findLast((candidate) => !isFinal(candidate)) ?? ofSlot[0] ?? slot.command;
    if (command === undefined || !isFinal(command)) return command;
    const now = this.#clock.value?.now() ?? Date.now();
    return now - command.updatedAt < lingerMs ? command : undefined;
  }

  #progress(command: ApiCommand) {
    const waiting = command.state === 'queued';
    return html`<div class="progress">
      <sy-switch-timeline .command=${command}></sy-switch-timeline>
      ${waiting && !isRegistered(this.device) ? html`<p class="hint">${this.#whenHeard()}</p>` : nothing}
      ${
        waiting
          ? html`<button class="small" ?disabled=${this.cancelling} @click=${() => this.#cancel(command)}>
            Cancel the switch
          </button>`
          : nothing
      }
    </div>`;
  }

  #choices(slot: ApiCarrierSlot, busy: boolean) {
    const offered = slot.available.filter(({ name }) => !isDisconnect(name));
    const others = offered.filter(({ name }) => name === '' || name !== slot.current);
    return html`<h2>Switch to</h2>
      <div class="choices">
        ${others.map(
          (option) =>
            html`<button
              ?disabled=${busy}
              title=${carrierLabel(option) === option.name ? nothing : option.name || nothing}
              @click=${() => this.#ask(slot, option.id, carrierLabel(option))}
            >
              ${carrierLabel(option)}
            </button>`,
        )}
        ${
          slot.current === ''
            ? nothing
            : html`<button class="danger" ?disabled=${busy} @click=${() => this.#ask(slot, 'Disconnect', 'Disconnect')}>
              Disconnect
            </button>`
        }
      </div>
      ${
        offered.length === 0
          ? html`<p class="hint">The card has not yet told which carriers it offers.</p>`
          : nothing
      }
      ${busy ? html`<p class="hint">A switch is in progress; the next can be given when it has ended.</p>` : nothing}`;
  }

  #ask(slot: ApiCarrierSlot, carrier: string | number, label: string): void {
    this.problem = undefined;
    const reconnectAfter = this.values.get(
      `/${carrierObjectId}/${slot.slot}/${reconnectAfterResource}`,
    )?.value;
    this.renderRoot.querySelector<SwitchDialog>('sy-switch-dialog')?.ask({
      endpoint: this.device.endpoint,
      slot: slot.slot,
      carrier,
      label,
      effect: switchEffect(label, {
        current: slot.current === undefined ? undefined : clipped(slot.current),
        ...(typeof reconnectAfter === 'number' && { reconnectAfter }),
      }),
      waits:
        isRegistered(this.device) && !this.device.registration?.queueMode ? undefined : this.#whenHeard(),
    });
  }

  #whenHeard(): string {
    const { registration } = this.device;
    return registration !== undefined
      ? `The device sleeps: the switch goes out when it is next heard from, by ${clockTime(lifetimeEnd(registration))} at the latest.`
      : 'The device is not registered: the switch waits until it registers again.';
  }

  #given(event: CustomEvent<ApiCommand>): void {
    announce(`${switchTitle(event.detail)}: queued`);
    this.dispatchEvent(new CustomEvent('command-given', { detail: event.detail }));
  }

  async #cancel(command: ApiCommand): Promise<void> {
    this.cancelling = true;
    this.problem = undefined;
    try {
      const cancelled = await this.#api.value?.cancelCommand(command.id);
      if (cancelled !== undefined)
        this.dispatchEvent(new CustomEvent('command-given', { detail: cancelled }));
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.cancelling = false;
  }
}

customElements.define('sy-carrier-panel', CarrierPanel);
