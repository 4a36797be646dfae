import { describe, expect, test } from 'vitest';
import { Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import {
  contentFormatName,
  formatOption,
  messageName,
  optionName,
  typeName,
} from '../../../protocol/coap/names.ts';

describe('names of CoAP', () => {
  test('every code and option that this implementation knows has one of its own', () => {
    const codes = Object.values(Code).filter((code) => code !== Code.EMPTY);
    const names = codes.map((code) => messageName({ type: MessageType.CON, code }));
    expect(names).not.toContain('Unassigned');
    expect(new Set(names).size).toBe(codes.length);
    const options = Object.values(OptionNumber).map(optionName);
    expect(options.filter((name) => name.startsWith('Option '))).toEqual([]);
    expect(new Set(options).size).toBe(options.length);
  });

  test('an empty message is what its type makes of it', () => {
    const names = [MessageType.CON, MessageType.NON, MessageType.ACK, MessageType.RST].map((type) => [
      typeName(type),
      messageName({ type, code: Code.EMPTY }),
    ]);
    expect(names).toEqual([
      ['CON', 'Ping'],
      ['NON', 'Empty'],
      ['ACK', 'Acknowledgement'],
      ['RST', 'Reset'],
    ]);
  });

  test('what no registry knows is told by its number', () => {
    expect(messageName({ type: MessageType.NON, code: 0xe1 })).toBe('Unassigned');
    expect(optionName(65_001)).toBe('Option 65001');
    expect(contentFormatName(65_001)).toBeUndefined();
  });

  test.each([
    [OptionNumber.URI_PATH, '7264', Code.POST, 'rd'],
    [OptionNumber.URI_PATH, 'ff', Code.POST, 'ff'],
    [OptionNumber.CONTENT_FORMAT, '70', Code.CONTENT, '112 application/senml+cbor'],
    [OptionNumber.CONTENT_FORMAT, '', Code.CONTENT, '0 text/plain'],
    [OptionNumber.ACCEPT, 'fde9', Code.GET, '65001'],
    [OptionNumber.ACCEPT, 'ffffff', Code.GET, 'ffffff'],
    [OptionNumber.OBSERVE, '', Code.GET, '0 register'],
    [OptionNumber.OBSERVE, '01', Code.GET, '1 deregister'],
    [OptionNumber.OBSERVE, '01', Code.CONTENT, '1'],
    [OptionNumber.BLOCK1, '3e', Code.PUT, '3/1/1024'],
    [OptionNumber.BLOCK2, '07', Code.CONTENT, '07'],
    [OptionNumber.MAX_AGE, '3c', Code.SERVICE_UNAVAILABLE, '60'],
    [OptionNumber.ETAG, '0a0b', Code.CONTENT, '0a0b'],
    [OptionNumber.IF_NONE_MATCH, '', Code.PUT, ''],
    [65_001, '00ff', Code.GET, '00ff'],
  ])('option %i with %s in %i reads %s', (number, hex, code, text) => {
    expect(formatOption({ number, value: Uint8Array.from(Buffer.from(hex, 'hex')) }, code)).toBe(text);
  });
});
