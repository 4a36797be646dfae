import { CardRefusalError } from './carrier-card.ts';

/** What is asked of an eUICC that it answers by a result code. */
export type ProfileOperation = 'enable' | 'disable' | 'delete' | 'nickname' | 'memory reset' | 'list';

/**
 * Results of EnableProfile, DisableProfile, DeleteProfile, SetNickname and EUICCMemoryReset, GSMA SGP.22 §5.7.16 to
 * §5.7.19 and §5.7.21. Not all of them have all; 1 is "nothing to delete" of the memory reset.
 */
export const ProfileResult = {
  OK: 0,
  NOT_FOUND: 1,
  WRONG_STATE: 2,
  DISALLOWED_BY_POLICY: 3,
  WRONG_REENABLING: 4,
  CAT_BUSY: 5,
  UNDEFINED: 0x7f,
} as const;

const meanings: Readonly<Record<number, string>> = {
  [ProfileResult.NOT_FOUND]: 'the card has no such profile',
  [ProfileResult.DISALLOWED_BY_POLICY]: 'refused by the profile policy',
  [ProfileResult.WRONG_REENABLING]: 'wrong profile re-enabling',
  [ProfileResult.CAT_BUSY]: 'the card is busy (card application toolkit)',
  [ProfileResult.UNDEFINED]: 'undefined error of the card',
};

const ownMeanings: Readonly<Partial<Record<ProfileOperation, Readonly<Record<number, string>>>>> = {
  enable: { [ProfileResult.WRONG_STATE]: 'the profile is not disabled' },
  disable: { [ProfileResult.WRONG_STATE]: 'the profile is not enabled' },
  delete: { [ProfileResult.WRONG_STATE]: 'the profile is enabled: disable it, or enable another, first' },
  'memory reset': { [ProfileResult.NOT_FOUND]: 'the card has nothing to delete' },
  list: { 1: 'the card does not know the tags asked for' },
};

/** The card's own no to an operation on its profiles. */
export class ProfileOperationError extends CardRefusalError {
  override readonly name = 'ProfileOperationError';
  readonly operation: ProfileOperation;
  /** As `ProfileResult`, or another number. */
  readonly result: number;

  constructor(operation: ProfileOperation, result: number) {
    super(ownMeanings[operation]?.[result] ?? meanings[result] ?? `card result ${result} to ${operation}`);
    this.operation = operation;
    this.result = result;
  }
}
