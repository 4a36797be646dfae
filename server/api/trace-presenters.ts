import { formatCode } from '../../protocol/coap/message.ts';
import { formatOption, messageName, optionName, typeName } from '../../protocol/coap/names.ts';
import { contentFormat } from '../../protocol/coap/options.ts';
import { Direction } from '../../protocol/coap/tapped-port.ts';
import { formatToken } from '../../protocol/coap/token.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { TracedMessage } from '../trace/device-history.ts';
import type { DeviceTrace, LiveTrace } from '../trace/device-traces.ts';
import { decodePayload, type PayloadContext } from '../trace/payload.ts';
import { presentItem, presentLink } from './presenters.ts';
import type { ApiLiveTrace, ApiTraceAnswer, ApiTraceMessage, ApiTracePayload } from './schemas.ts';

// A trace shows messages as they are, and so also what no other answer does: a registration's place, and tokens.

export function presentTrace(
  { messages, since, epoch }: DeviceTrace,
  context: PayloadContext,
): ApiTraceAnswer {
  return { items: messages.map((message) => presentMessage(message, epoch, context)), since };
}

export function presentLiveTrace(
  endpoint: string,
  { messages, epoch, missed }: LiveTrace,
  context: PayloadContext,
): ApiLiveTrace {
  return {
    endpoint,
    messages: messages.map((message) => presentMessage(message, epoch, context)),
    ...(missed === 0 ? {} : { missed }),
  };
}

/** @param epoch as of DeviceTrace */
export function presentMessage(
  traced: TracedMessage,
  epoch: number,
  context: PayloadContext,
): ApiTraceMessage {
  const { captured, annotation } = traced;
  const { id, transportAddress: peer, size, message, malformed } = captured;
  const at = Math.round((captured.time + epoch) * 1000) / 1000;
  const datagram = {
    id,
    at,
    direction: captured.direction === Direction.IN ? ('in' as const) : ('out' as const),
    peer,
    size,
    hex: Buffer.from(captured.data).toString('hex'),
    ...(captured.truncated ? { truncated: true } : {}),
  };
  if (message === undefined) return { ...datagram, malformed: malformed ?? '', options: [] };
  const { path, retransmission, duplicate, answers, elapsed } = annotation;
  const format = contentFormat(message.options);
  return {
    ...datagram,
    type: typeName(message.type),
    code: formatCode(message.code),
    name: messageName(message),
    messageId: message.messageId,
    token: formatToken(message.token),
    options: message.options.map((option) => ({
      number: option.number,
      name: optionName(option.number),
      value: formatOption(option, message.code),
    })),
    ...(path === undefined ? {} : { path }),
    ...(format === undefined ? {} : { contentFormat: format }),
    ...(message.payload.length === 0 ? {} : { payload: presentPayload(traced, at, context) }),
    ...(retransmission === undefined ? {} : { retransmission }),
    ...(duplicate === undefined ? {} : { duplicate }),
    ...(answers === undefined ? {} : { answers }),
    ...(elapsed === undefined ? {} : { elapsed }),
  };
}

function presentPayload(
  { captured, annotation }: TracedMessage,
  at: number,
  context: PayloadContext,
): ApiTracePayload {
  const { message, size, data, truncated } = captured;
  if (message === undefined) throw new Error('a malformed message has no payload');
  const { text, values, links, paths, fragment, problem } = decodePayload(
    message,
    annotation,
    truncated,
    context,
  );
  const removed = values?.filter(({ value }) => value === null).map(({ path }) => path) ?? [];
  const kept = values?.filter((record): record is LwM2mRecord => record.value !== null);
  return {
    length: message.payload.length + size - data.length,
    ...(text === undefined ? {} : { text }),
    ...(kept === undefined
      ? {}
      : { values: kept.map((record) => presentItem(record, context.registry, at)) }),
    ...(removed.length === 0 ? {} : { removed }),
    ...(links === undefined ? {} : { links: links.map((link) => presentLink(link, context.registry)) }),
    ...(paths === undefined ? {} : { paths: [...paths] }),
    ...(fragment === undefined ? {} : { fragment: { ...fragment } }),
    ...(problem === undefined ? {} : { problem }),
  };
}
