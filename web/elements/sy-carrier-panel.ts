import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { announce } from '../announce.ts';
import { apiContext, clockContext } from '../contexts.ts';
import type { ApiCarrierSlot, ApiCommand, ApiDevice, ApiProblem } from '../data/api-types.ts';
import { lifetimeEnd } from '../data/device-list.ts';
import { isRegistered, stateNow } from '../data/device-state.ts';
import type { LastValues } from '../data/last-values.ts';
import { clipped } from '../data/names.ts';
import { asProblem } from '../data/problem.ts';
import { hrefOf } from '../data/routes.ts';
import { carrierObjectId } from '../data/sensors.ts';
import { eidOf, simProvisioning } from '../data/sim-profiles.ts';
import { carrierSince, isFinal, switchEffect, switchTitle } from '../data/switch-progress.ts';
import { clockTime } from '../data/time.ts';
import { Permission } from '../permission.ts';
import { facts } from '../styles/page.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import type { SwitchDialog } from './sy-switch-dialog.ts';
import './sy-identifier.ts';
import './sy-problem-panel.ts';
import './sy-sim-card.ts';
import type { SwitchAsked } from './sy-sim-profiles.ts';
import './sy-sim-profiles.ts';
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
    waiting: { attribute: false },
    problem: { state: true },
    cancelling: { state: true },
  };

  static override styles = [
    base,
    controls,
    skeletons,
    facts,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 32px;
        max-width: 1200px;
      }
      section {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 12px;
      }
      .slot {
        grid-template-columns: minmax(0, 400px) minmax(0, 1fr);
        align-items: start;
        gap: 24px 40px;
      }
      sy-switch-dialog {
        position: absolute;
      }
      .column {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 24px;
      }
      h2 {
        margin: 0;
      }
      @media (max-width: 960px) {
        .slot {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      .hint {
        color: var(--sy-text-2);
      }
      .hint a {
        text-decoration: underline;
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
  /** Commands of every kind that wait for the device. */
  declare waiting: readonly ApiCommand[];
  declare problem: ApiProblem | undefined;
  declare cancelling: boolean;

  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #clock = new ContextConsumer(this, { context: clockContext });

  constructor() {
    super();
    new Permission(this);
    this.commands = [];
    this.values = new Map();
    this.waiting = [];
    this.problem = undefined;
    this.cancelling = false;
  }

  override render() {
    if (this.slots === undefined) return html`<i class="bone card"></i>`;
    if (this.slots.length === 0) {
      return html`<section class="none">
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
    return html`<section class="slot" aria-label=${`SIM ${slot.slot + 1}`}>
      <div class="column">
        <sy-sim-card .slotStatus=${slot} .progress=${busy ? command.state : undefined} .since=${carrierSince(slot, this.commands)} .heardAt=${isRegistered(this.device) ? undefined : this.device.lastSeen}></sy-sim-card>
        ${command === undefined ? nothing : this.#progress(command)}
        ${
          this.problem === undefined
            ? nothing
            : html`<sy-problem-panel .problem=${this.problem}></sy-problem-panel>`
        }
      </div>
      <div class="column">
        <sy-sim-profiles
          .slotStatus=${slot}
          .values=${this.values}
          ?busy=${busy}
          .effect=${this.#effect(slot, 'Disconnect')}
          @switch-asked=${(event: SwitchAsked) => this.#ask(slot, event.detail.carrier, event.detail.label)}
        ></sy-sim-profiles>
        ${this.#identity(slot)}
      </div>
    </section>`;
  }

  #identity(slot: ApiCarrierSlot) {
    const { imei, serialNumber } = this.device;
    const eid = eidOf(slot.slot, this.values);
    const listed = this.device.registration?.objects.some(({ path }) =>
      path.startsWith(`/${simProvisioning.id}`),
    );
    if (imei === undefined && serialNumber === undefined && eid === undefined && listed !== true)
      return nothing;
    return html`<section aria-label="Identity">
      <h2>Identity</h2>
      <dl class="facts">
        ${imei === undefined ? nothing : html`<div><dt>IMEI</dt><dd><sy-identifier kind="imei" .value=${imei}></sy-identifier></dd></div>`}
        ${serialNumber === undefined ? nothing : html`<div><dt>Serial number</dt><dd class="mono">${serialNumber}</dd></div>`}
        ${eid === undefined ? nothing : html`<div><dt>EID</dt><dd><sy-identifier kind="eid" .value=${eid}></sy-identifier></dd></div>`}
      </dl>
      ${
        listed === true && eid === undefined
          ? html`<p class="hint">
            The device lists object ${simProvisioning.id}: read it under
            <a href=${hrefOf({ name: 'device', endpoint: this.device.endpoint, tab: 'objects', path: `/${simProvisioning.id}` })}
              >Objects</a
            >
            to see the ICCIDs of all profiles here.
          </p>`
          : nothing
      }
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
      ${waiting && !this.#listens ? html`<p class="hint">${this.#whenHeard()}</p>` : nothing}
      ${waiting ? this.#before(command) : nothing}
      ${
        waiting
          ? html`<button data-needs="operate" class="small" ?disabled=${this.cancelling} @click=${() => this.#cancel(command)}>
            Cancel the switch
          </button>`
          : nothing
      }
    </div>`;
  }

  #ask(slot: ApiCarrierSlot, carrier: string | number, label: string): void {
    this.problem = undefined;
    this.renderRoot.querySelector<SwitchDialog>('sy-switch-dialog')?.ask({
      endpoint: this.device.endpoint,
      slot: slot.slot,
      carrier,
      label,
      effect: this.#effect(slot, label),
      waits: this.#listens ? undefined : this.#whenHeard(),
    });
  }

  #effect(slot: ApiCarrierSlot, label: string): string {
    const reconnectAfter = this.values.get(
      `/${carrierObjectId}/${slot.slot}/${reconnectAfterResource}`,
    )?.value;
    return switchEffect(label, {
      current: slot.current === undefined ? undefined : clipped(slot.current),
      ...(typeof reconnectAfter === 'number' && { reconnectAfter }),
      gateway: this.device.registration?.gateway,
    });
  }

  /** Whether what is given now goes out now. */
  get #listens(): boolean {
    return stateNow(this.device, this.#clock.value?.now() ?? Date.now()) === 'awake';
  }

  /** Commands of a device go out one at a time, in their order. */
  #before(command: ApiCommand) {
    const before = this.waiting.filter(({ number }) => number < command.number).length;
    if (before === 0) return nothing;
    const href = hrefOf({ name: 'device', endpoint: this.device.endpoint, tab: 'commands' });
    return html`<p class="hint">
      <a href=${href}>${before} ${before === 1 ? 'command' : 'commands'}</a> of this device ${before === 1 ? 'goes' : 'go'} out before it.
    </p>`;
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
