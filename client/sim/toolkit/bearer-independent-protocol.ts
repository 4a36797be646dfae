import { type BearerChannel, BearerError, type ChannelOptions } from './bearer-channel.ts';
import type { Result } from './data-objects.ts';
import type {
  CloseChannelCommand,
  OpenChannelCommand,
  ReceiveDataCommand,
  SendDataCommand,
} from './proactive-command.ts';
import { BearerType, BipCause, GeneralResult, TransportProtocol } from './tags.ts';
import type { TerminalResponse } from './terminal-response.ts';
import { ToolkitChannel } from './toolkit-channel.ts';

/** An answer without the command's details. */
export type Answer = Omit<TerminalResponse, 'details'>;

export interface BearerProtocolOptions {
  readonly openChannel: (options: ChannelOptions) => Promise<BearerChannel>;
  /** 1 to 7. */
  readonly maxChannels: number;
  /** Bytes of buffer that a channel gets at most, in each direction. */
  readonly maxBuffer: number;
  /** A channel has data that the card has not been told of. */
  readonly onData: (channel: ToolkitChannel) => void;
  /** A link was dropped, or came to be, or failed to, in the background. */
  readonly onStatus: (channel: ToolkitChannel) => void;
  /** For people. */
  readonly onLog: (message: string) => void;
  /** A bug. */
  readonly onFault: (error: unknown) => void;
}

/** Bits of the qualifier of OPEN CHANNEL, ETSI TS 102 223 §8.6. */
const openBits = { IMMEDIATE: 0x01, RECONNECT: 0x02, BACKGROUND: 0x04 } as const;
/** SEND DATA: immediately. */
const sendImmediately = 0x01;
/** Data that one terminal response has room for. */
const mostReceived = 237;

const ok: Result = { general: GeneralResult.OK };
const bipError = (additional: number): Answer => ({
  result: { general: GeneralResult.BIP_ERROR, additional },
});
const beyond: Answer = { result: { general: GeneralResult.BEYOND_CAPABILITIES } };
/** Lengths of channel data end at 255, which is "255 or more". */
const lengthByte = (bytes: number): number => Math.min(bytes, 255);

/** The terminal's half of the bearer-independent protocol, ETSI TS 102 223 §6.4.27 to §6.4.31. */
export class BearerIndependentProtocol {
  readonly #options: BearerProtocolOptions;
  readonly #channels = new Map<number, ToolkitChannel>();
  /** Ids that were open since the card's reset. */
  readonly #known = new Set<number>();

  constructor(options: BearerProtocolOptions) {
    this.#options = options;
  }

  async open(command: OpenChannelCommand): Promise<Answer> {
    const { transport, destination, bearer, details } = command;
    const packet = [BearerType.PACKET, BearerType.DEFAULT, BearerType.E_UTRAN].some((t) => t === bearer.type);
    if (!packet || transport === undefined || transport.protocol !== TransportProtocol.UDP_CLIENT)
      return beyond;
    if (destination === undefined) return { result: { general: GeneralResult.VALUES_MISSING } };
    if (destination === 'dynamic' || transport.port === 0) {
      return { result: { general: GeneralResult.DATA_NOT_UNDERSTOOD } };
    }
    const id = this.#freeId();
    if (id === undefined) return bipError(BipCause.NO_CHANNEL);
    const bufferSize = Math.min(Math.max(command.bufferSize, 1), this.#options.maxBuffer);
    const channel = this.#newChannel(id, command, { ...transport, destination, bufferSize });
    this.#channels.set(id, channel);
    this.#known.add(id);
    const background = (details.qualifier & openBits.BACKGROUND) !== 0;
    if (background) this.#establishInBackground(channel);
    else if ((details.qualifier & openBits.IMMEDIATE) !== 0) {
      try {
        await channel.establish();
      } catch (error) {
        this.#channels.delete(id);
        if (!(error instanceof BearerError)) throw error;
        this.#options.onLog(`the card gets no channel to ${destination}: ${error.message}`);
        return { result: error.result, bearer, bufferSize };
      }
    }
    this.#options.onLog(`the card opened channel ${id} to ${destination}, UDP port ${transport.port}`);
    const modified = bufferSize !== command.bufferSize;
    return {
      result: modified ? { general: GeneralResult.MODIFIED } : ok,
      channels: [channel.status],
      bearer,
      bufferSize,
    };
  }

  async close(command: CloseChannelCommand): Promise<Answer> {
    const channel = this.#channels.get(command.channel);
    if (channel === undefined) return this.#noChannel(command.channel);
    this.#channels.delete(command.channel);
    await channel.close();
    this.#options.onLog(`the card closed channel ${command.channel}`);
    return channel.isDropped ? bipError(BipCause.CHANNEL_CLOSED) : { result: ok };
  }

  async send(command: SendDataCommand): Promise<Answer> {
    const channel = this.#channels.get(command.channel);
    if (channel === undefined) return this.#noChannel(command.channel);
    return answered(async () => {
      channel.store(command.data);
      if ((command.details.qualifier & sendImmediately) !== 0) await channel.flush();
      return { result: ok, length: lengthByte(channel.room) };
    });
  }

  async receive(command: ReceiveDataCommand): Promise<Answer> {
    const channel = this.#channels.get(command.channel);
    if (channel === undefined) return this.#noChannel(command.channel);
    return answered(async () => {
      const { data, left } = channel.take(Math.min(command.length, mostReceived));
      const missing = data.length < Math.min(command.length, mostReceived);
      return {
        result: missing ? { general: GeneralResult.MISSING_INFORMATION } : ok,
        data,
        length: lengthByte(left),
      };
    });
  }

  status(): Answer {
    const channels = [...this.#channels.values()].map((channel) => channel.status);
    return {
      result: ok,
      channels: channels.length > 0 ? channels : [{ channel: 0, linked: false, information: 0 }],
    };
  }

  /** The card was reset, or the terminal stops: all channels are gone. */
  async closeAll(): Promise<void> {
    const channels = [...this.#channels.values()];
    this.#channels.clear();
    this.#known.clear();
    await Promise.all(channels.map((channel) => channel.close()));
  }

  #newChannel(
    id: number,
    command: OpenChannelCommand,
    to: { readonly destination: string; readonly port: number; readonly bufferSize: number },
  ): ToolkitChannel {
    const { onData, onStatus, onLog, openChannel } = this.#options;
    const channel: ToolkitChannel = new ToolkitChannel({
      id,
      link: {
        protocol: 'udp',
        destination: to.destination,
        port: to.port,
        bearer: command.bearer,
        bufferSize: to.bufferSize,
        ...(command.accessPoint === undefined ? {} : { accessPoint: command.accessPoint }),
      },
      autoReconnect: (command.details.qualifier & openBits.RECONNECT) !== 0,
      open: openChannel,
      onData: () => onData(channel),
      onDropped: (reason) => {
        onLog(`channel ${id} of the card was dropped: ${reason}`);
        onStatus(channel);
      },
    });
    return channel;
  }

  #establishInBackground(channel: ToolkitChannel): void {
    const { onStatus, onLog, onFault } = this.#options;
    channel
      .establish()
      .catch((error: unknown) => {
        if (!(error instanceof BearerError)) throw error;
        onLog(`channel ${channel.id} of the card has no link: ${error.message}`);
      })
      .then(() => {
        if (this.#channels.get(channel.id) === channel) onStatus(channel);
      })
      .catch(onFault);
  }

  #freeId(): number | undefined {
    for (let id = 1; id <= this.#options.maxChannels; id++) if (!this.#channels.has(id)) return id;
    return undefined;
  }

  #noChannel(id: number): Answer {
    return bipError(this.#known.has(id) ? BipCause.CHANNEL_CLOSED : BipCause.INVALID_CHANNEL);
  }
}

async function answered(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BearerError) return { result: error.result };
    throw error;
  }
}
