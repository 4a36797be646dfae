import { beforeEach, describe, expect, it } from 'vitest';
import { CardSession } from '../../../client/sim/card-session.ts';
import { Euicc, ProfileOperationError } from '../../../client/sim/euicc.ts';
import { decodeEuiccInfo2 } from '../../../client/sim/euicc-info.ts';
import { encodeIccid } from '../../../client/sim/files.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';
import { decodeProfileInfo } from '../../../client/sim/profile-info.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
import { DecodeError } from '../../../protocol/errors.ts';

let card: VirtualCard;
let euicc: Euicc;
/** Requests of ES10, put together from their STORE DATA. */
let requests: string[];

beforeEach(() => {
  card = new VirtualCard({ serial: 42 });
  requests = [];
  let request = '';
  const session = new CardSession({
    connect: () => card.connect(),
    reset: () => card.reset(),
    close: () => card.close(),
    transmit(command) {
      if (command[1] === 0xe2) {
        request += toHex(command.subarray(5, 5 + (command[4] ?? 0)));
        if (command[2] === 0x91) {
          requests.push(request);
          request = '';
        }
      }
      return card.transmit(command);
    },
  });
  euicc = new Euicc(session);
});

const swapped = (index: number): string => toHex(encodeIccid(card.profiles[index]?.iccid ?? ''));
const iccid = (index: number): string => card.profiles[index]?.iccid ?? '';

describe('what an LPA asks of the eUICC', () => {
  it('is GSMA’s: enable, disable, delete, nickname, EID, EUICCInfo2', async () => {
    const [first, second, third] = [0, 1, 2].map(swapped);
    await euicc.enable(iccid(1));
    await euicc.disable(iccid(1));
    await euicc.setNickname(iccid(0), 'Blue');
    await euicc.delete(iccid(2));
    await euicc.eid();
    await euicc.info2();
    expect(requests).toEqual([
      `BF3111A00C5A0A${second}8101FF`,
      `BF3211A00C5A0A${second}8101FF`,
      `BF29125A0A${first}9004426C7565`,
      `BF330C5A0A${third}`,
      'BF3E035C015A',
      'BF2200',
    ]);
    expect(card.profiles.map(({ name }) => name)).toEqual(['AT&T', 'T-Mobile']);
  });

  it('comes in segments where it is long, and a nickname ends at 64 bytes', async () => {
    await euicc.setNickname(iccid(0), 'x'.repeat(64));
    expect((await euicc.listProfiles())[0]?.nickname).toBe('x'.repeat(64));
    await expect(euicc.setNickname(iccid(0), 'x'.repeat(65))).rejects.toThrow('at most 64 bytes');
  });

  it('is refused by a result, told in words', async () => {
    await expect(euicc.enable(iccid(0))).rejects.toThrow('the profile is not disabled');
    await expect(euicc.delete(iccid(0))).rejects.toThrow(ProfileOperationError);
    await expect(euicc.enable('8900000000000000000')).rejects.toThrow('the card has no such profile');
  });
});

describe('EUICCInfo2', () => {
  const encoded = fromHex(
    '810302030182030202028303010000840F81010382040004' +
      '6CD08304000040008502034886030D00008703020300880207' +
      '80A9160414F54172BDF98A95D65CBEB88A38A1C11D800A85C3' +
      'AA160414F54172BDF98A95D65CBEB88A38A1C11D800A85C38B0101040301000' +
      '00C0D53592D56492D55502D30303031',
  );

  it('tells versions, memory and whom the card trusts', () => {
    expect(decodeEuiccInfo2(encoded)).toMatchObject({
      profileVersion: '2.3.1',
      specificationVersion: '2.2.2',
      resources: { installedApplications: 3, freeNonVolatileMemory: 290_000, freeVolatileMemory: 16_384 },
      verificationKeys: ['F54172BDF98A95D65CBEB88A38A1C11D800A85C3'],
      category: 1,
      accreditation: 'SY-VI-UP-0001',
    });
  });

  it('that is cut off anywhere is none', () => {
    for (let length = 0; length < encoded.length; length++) {
      try {
        // The accreditation at its end is optional for us: what remains is whole without it.
        expect(decodeEuiccInfo2(encoded.subarray(0, length)).accreditation).toBe('');
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});

describe('a ProfileInfo', () => {
  const encoded = fromHex('5A0A981014301211111111F19F700101910441542654950102990205609002410A');

  it('tells ICCID, state, names, class and policy rules, without control characters', () => {
    expect(decodeProfileInfo(encoded)).toMatchObject({
      iccid: '8901410321111111111',
      enabled: true,
      nickname: 'A',
      serviceProvider: 'AT&T',
      profileClass: 2,
      policy: { noDisable: true, noDelete: true },
    });
  });

  it('that is cut off within an object is none', () => {
    const whole = new Set([12, 16, 22, 25, 29]);
    for (let length = 0; length < encoded.length; length++) {
      if (whole.has(length)) expect(decodeProfileInfo(encoded.subarray(0, length)).iccid).toMatch(/^8901/);
      else expect(() => decodeProfileInfo(encoded.subarray(0, length))).toThrow(DecodeError);
    }
  });
});
