import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import {
  AppletFlow,
  type AppletRequest,
  type AppletResult,
} from '../../../../client/sim/virtual-card/applet-flow.ts';
import { type AppletRecord, newAppletRecord } from '../../../../client/sim/virtual-card/applet-switch.ts';

/** A card with carriers 0 to 2, whose memory outlives a reset. */
class Card {
  enabled = 0;
  refuses = false;
  record: AppletRecord = newAppletRecord;
  /** What the network got. */
  readonly sent: string[] = [];
  flow!: AppletFlow;

  constructor() {
    this.insert();
  }

  insert(hasGateway = true): void {
    this.flow = new AppletFlow({
      carriers: {
        current: () => this.enabled,
        has: (carrier) => carrier <= 2,
        switchTo: (carrier) => {
          if (!this.refuses) this.enabled = carrier;
          return !this.refuses;
        },
      },
      hasGateway,
      record: this.record,
      keep: (record) => {
        this.record = record;
      },
    });
    this.flow.powerUp();
  }

  /** Answers what the applet wants until it wants nothing, or a REFRESH that is left to the test. */
  serve(answer: (request: AppletRequest) => AppletResult | undefined = () => undefined): string[] {
    const kinds: string[] = [];
    for (let request = this.flow.next(); request !== undefined; request = this.flow.next()) {
      if (kinds.length > 50) throw new Error(`no end: ${kinds.join(' ')}`);
      if (request.kind === 'refresh') return [...kinds, 'refresh'];
      this.flow.begin(request);
      const result = answer(request) ?? this.#usual(request);
      const what = request.kind === 'send-data' ? request.what : request.kind;
      kinds.push(what);
      if (request.kind === 'send-data' && result.kind === 'ok') this.sent.push(toHex(request.packet));
      this.flow.answered(result);
    }
    return kinds;
  }

  #usual(request: AppletRequest): AppletResult {
    if (request.kind === 'open-channel') return { kind: 'ok', channel: 1 };
    if (request.kind === 'receive-data') return { kind: 'ok', data: new Uint8Array(0), remaining: 0 };
    return { kind: 'ok' };
  }

  /** A datagram from the gateway. */
  hear(hex: string): string[] {
    this.flow.dataAvailable(1);
    return this.serve((request) =>
      request.kind === 'receive-data' ? { kind: 'ok', data: fromHex(hex), remaining: 0 } : undefined,
    );
  }

  /** The terminal takes the REFRESH, resets the card and starts anew. */
  refresh(): string[] {
    this.flow.begin({ kind: 'refresh' });
    this.flow.answered({ kind: 'ok' });
    expect(this.flow.next()).toBeUndefined();
    return this.reset();
  }

  reset(): string[] {
    this.flow.powerUp();
    this.flow.terminalReady(true);
    return this.serve();
  }
}

let card: Card;
beforeEach(() => {
  card = new Card();
  card.flow.terminalReady(true);
});

describe('the applet, as it starts', () => {
  it('asks to be told of data, opens its channel and says on which carrier it is', () => {
    expect(card.serve()).toEqual(['set-up-event-list', 'open-channel', 'status']);
    expect(card.sent).toEqual(['1100']);
    expect(card.flow.isOnline).toBe(true);
  });

  it('wants nothing of a terminal that has no channels, or without a gateway', () => {
    card.flow.powerUp();
    card.flow.terminalReady(false);
    expect(card.serve()).toEqual([]);
    card.insert(false);
    card.flow.terminalReady(true);
    expect(card.serve()).toEqual([]);
  });

  it('without a carrier has no network, and does not try', () => {
    card.enabled = 15;
    expect(card.serve()).toEqual([]);
  });

  it('tries again after a refusal, with longer and longer pauses, counted in polls', () => {
    const busy: AppletResult = { kind: 'refused' };
    const tries: number[] = [];
    for (let poll = 0; poll <= 40; poll++) {
      card.serve((request) => {
        if (request.kind !== 'open-channel') return undefined;
        tries.push(poll);
        return busy;
      });
      card.flow.poll();
    }
    expect(tries).toEqual([0, 1, 3, 7, 15, 31]);
  });

  it('says again that it is there when it was silent since the last poll', () => {
    card.serve();
    card.flow.poll();
    expect(card.serve()).toEqual([]);
    card.flow.poll();
    expect(card.serve()).toEqual(['status']);
  });

  it('asks for data with each poll where the terminal will not tell of it', () => {
    card.serve((request) => (request.kind === 'set-up-event-list' ? { kind: 'refused' } : undefined));
    card.flow.poll();
    expect(card.serve()).toEqual(['receive-data']);
  });

  it('opens its channel anew when it was dropped', () => {
    card.serve();
    card.flow.channelDropped(1);
    expect(card.serve()).toEqual(['close-channel', 'open-channel', 'status']);
  });
});

describe('a perform from the network', () => {
  beforeEach(() => {
    card.serve();
    card.sent.length = 0;
  });

  it('switches the card, and its ACK goes out over the new carrier', () => {
    expect(card.hear('1020')).toEqual(['receive-data', 'refresh']);
    expect(card.enabled).toBe(2);
    expect(card.sent).toEqual([]);
    expect(card.refresh()).toEqual(['set-up-event-list', 'open-channel', 'report']);
    expect(card.sent).toEqual(['1102']);
  });

  it('to the carrier that it is on is acknowledged at once', () => {
    expect(card.hear('1000')).toEqual(['receive-data', 'report']);
    expect(card.sent).toEqual(['1100']);
  });

  it('to a carrier that it has not is a NACK with the one that it is on', () => {
    card.hear('1070');
    expect(card.sent).toEqual(['1110']);
    expect(card.enabled).toBe(0);
  });

  it('that the card refuses is a NACK', () => {
    card.refuses = true;
    expect(card.hear('1010')).toEqual(['receive-data', 'report']);
    expect(card.sent).toEqual(['1110']);
  });

  it('to Disconnect is acknowledged before the network is gone', () => {
    expect(card.hear('10f0')).toEqual(['receive-data', 'farewell', 'refresh']);
    expect(card.sent).toEqual(['110F']);
    expect(card.enabled).toBe(15);
    expect(card.refresh()).toEqual([]);
  });

  it('to Disconnect is done all the same when the channel is gone', () => {
    card.flow.dataAvailable(1);
    const served = card.serve((request) => {
      if (request.kind === 'receive-data') return { kind: 'ok', data: fromHex('10f0'), remaining: 0 };
      return request.kind === 'send-data' ? { kind: 'no-channel' } : undefined;
    });
    expect(served).toEqual(['receive-data', 'farewell', 'refresh']);
    expect(card.enabled).toBe(15);
  });

  it('is not heard while another is under way', () => {
    expect(card.hear('10201010')).toEqual(['receive-data', 'refresh']);
    card.refresh();
    expect(card.enabled).toBe(2);
    expect(card.sent).toEqual(['1102']);
  });

  it('that the terminal will not hear of is undone', () => {
    card.hear('1020');
    card.flow.begin({ kind: 'refresh' });
    card.flow.answered({ kind: 'refused' });
    expect(card.enabled).toBe(0);
    expect(card.serve()).toEqual(['report']);
    expect(card.sent).toEqual(['1110']);
  });

  it('is settled by what the card is when power fails before the REFRESH', () => {
    card.hear('1020');
    card.insert();
    card.flow.terminalReady(true);
    card.serve();
    expect(card.sent).toEqual(['1102']);
  });

  it('is settled as not done when power failed before the card had changed', () => {
    card.record = {
      ...newAppletRecord,
      pending: { target: 2, previous: 0, origin: 'network', stage: 'switched' },
    };
    card.insert();
    card.flow.terminalReady(true);
    card.serve();
    expect(card.sent).toEqual(['1110']);
  });

  it('is told to the network as soon as there is one, and once', () => {
    card.hear('1020');
    card.flow.begin({ kind: 'refresh' });
    card.flow.answered({ kind: 'ok' });
    card.flow.powerUp();
    card.flow.terminalReady(true);
    card.serve((request) => (request.kind === 'open-channel' ? { kind: 'no-network' } : undefined));
    expect(card.sent).toEqual([]);
    card.insert();
    card.flow.terminalReady(true);
    card.serve();
    card.insert();
    card.flow.terminalReady(true);
    card.serve();
    expect(card.record.report).toBeUndefined();
    // Each channel begins with the carrier, whether or not there was something to report.
    expect(card.sent).toEqual(['1102', '1102']);
  });

  it('to a carrier without network is taken back, and the NACK says where the card is', () => {
    card.hear('1020');
    card.flow.begin({ kind: 'refresh' });
    card.flow.answered({ kind: 'ok' });
    card.flow.powerUp();
    card.flow.terminalReady(true);
    const noNetwork = (request: AppletRequest): AppletResult | undefined =>
      request.kind === 'open-channel' ? { kind: 'no-network' } : undefined;
    let served: string[] = [];
    for (let poll = 0; poll < 10 && !served.includes('refresh'); poll++) {
      served = card.serve(noNetwork);
      card.flow.poll();
    }
    expect(card.enabled).toBe(0);
    card.refresh();
    expect(card.sent).toEqual(['1110']);
  });

  it('waits for the network of a new carrier with shorter polls, until there is one', () => {
    card.hear('1020');
    card.flow.begin({ kind: 'refresh' });
    card.flow.answered({ kind: 'ok' });
    card.flow.powerUp();
    card.flow.terminalReady(true);
    const intervals: number[] = [];
    const serve = (up: boolean) =>
      card.serve((request) => {
        if (request.kind === 'poll-interval') intervals.push(request.milliseconds);
        return request.kind === 'open-channel' && !up ? { kind: 'no-network' } : undefined;
      });
    serve(false);
    card.flow.poll();
    serve(false);
    card.flow.networkFound();
    expect(serve(true)).toEqual(['open-channel', 'poll-interval', 'report']);
    expect(intervals).toEqual([5_000, 30_000]);
  });

  it('survives what is no packet', () => {
    expect(card.hear('ffff')).toEqual(['receive-data']);
    expect(card.hear('10')).toEqual(['receive-data']);
    expect(card.hear('1021')).toEqual(['receive-data']);
    expect(card.enabled).toBe(0);
  });
});

describe('an order of the terminal', () => {
  it('switches the card; the network hears of the new carrier', () => {
    card.serve();
    expect(card.flow.order(1, 'terminal')).toBeUndefined();
    expect(card.serve()).toEqual(['refresh']);
    card.refresh();
    expect(card.record.outcome).toEqual({ status: 0, carrier: 1 });
    expect(card.sent).toEqual(['1100', '1101']);
  });

  it('that is refused is answered at once, and is not the network’s affair', () => {
    card.serve();
    card.refuses = true;
    expect(card.flow.order(1, 'terminal')).toEqual({ status: 1, carrier: 0 });
    expect(card.serve()).toEqual([]);
  });

  it('is refused while another is under way', () => {
    card.flow.order(1, 'terminal');
    expect(card.flow.order(2, 'terminal')).toEqual({ status: 1, carrier: 1 });
  });

  it('disconnects at once: the terminal knows', () => {
    card.serve();
    card.flow.order(15, 'terminal');
    expect(card.serve()).toEqual(['refresh']);
    expect(card.enabled).toBe(15);
  });
});

describe('readings', () => {
  it('go up one by one, behind a report', () => {
    card.serve();
    expect(card.flow.reading(Uint8Array.of(1))).toBe(true);
    expect(card.flow.reading(Uint8Array.of(2))).toBe(true);
    expect(card.serve()).toEqual(['reading', 'reading']);
    expect(card.sent).toEqual(['1100', '01', '02']);
  });

  it('are refused without a channel, and when the card’s memory is full', () => {
    expect(card.flow.reading(Uint8Array.of(1))).toBe(false);
    card.serve();
    for (let i = 0; i < 16; i++) expect(card.flow.reading(Uint8Array.of(i))).toBe(true);
    expect(card.flow.reading(Uint8Array.of(16))).toBe(false);
  });
});

describe('whatever the terminal does', () => {
  const results: readonly AppletResult[] = [
    { kind: 'ok' },
    { kind: 'ok', channel: 1 },
    { kind: 'ok', data: fromHex('1010'), remaining: 0 },
    { kind: 'ok', data: fromHex('10f0'), remaining: 2 },
    { kind: 'no-network' },
    { kind: 'no-channel' },
    { kind: 'refused' },
  ];
  const steps = fc.array(
    fc.oneof(
      fc.record({ step: fc.constant('answer' as const), n: fc.nat(results.length - 1) }),
      fc.record({ step: fc.constantFrom('reset', 'poll', 'data', 'dropped', 'reading') }),
      fc.record({ step: fc.constant('order' as const), n: fc.nat(15) }),
    ),
    { maxLength: 80 },
  );

  it('comes to rest, and a report never tells of a carrier that the card is not on', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const tried = new Card();
        const { flow } = tried;
        flow.terminalReady(true);
        for (const each of taken) {
          const request = flow.next();
          if (request !== undefined) flow.begin(request);
          if (each.step === 'answer') flow.answered(results[each.n] ?? { kind: 'ok' });
          else if (each.step === 'order') flow.order(each.n, 'terminal');
          else if (each.step === 'poll') flow.poll();
          else if (each.step === 'data') flow.dataAvailable(1);
          else if (each.step === 'dropped') flow.channelDropped(1);
          else if (each.step === 'reading') flow.reading(Uint8Array.of(1));
          else {
            flow.powerUp();
            flow.terminalReady(true);
          }
        }
        flow.powerUp();
        flow.terminalReady(true);
        expect(tried.record.pending).toBeUndefined();
        if (tried.record.report !== undefined) expect(tried.record.report.carrier).toBe(tried.enabled);
        tried.serve();
        expect(tried.record.report).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});
