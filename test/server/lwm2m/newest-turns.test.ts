import { describe, expect, test } from 'vitest';
import { NewestTurns } from '../../../server/lwm2m/newest-turns.ts';

function setUp(most: number) {
  const turns = new NewestTurns(most);
  const told: string[] = [];
  const enter = (key: string, name: string): void => {
    const turn = turns.enter(key);
    if (turn === undefined) told.push(`${name} now`);
    else void turn.then((isTurn) => told.push(`${name} ${isTurn ? 'later' : 'never'}`));
  };
  const leave = async (key: string): Promise<string[]> => {
    turns.leave(key);
    await Promise.resolve();
    return told.splice(0);
  };
  const what = async (): Promise<string[]> => {
    await Promise.resolve();
    return told.splice(0);
  };
  return { turns, enter, leave, what };
}

describe('requests for one key', () => {
  test('wait for each other in order of coming; those for others do not', async () => {
    const { enter, leave, what } = setUp(2);
    enter('a', 'first');
    enter('a', 'second');
    enter('a', 'third');
    enter('b', 'other');
    expect(await what()).toEqual(['first now', 'other now']);
    expect(await leave('a')).toEqual(['second later']);
    expect(await leave('a')).toEqual(['third later']);
  });

  test('give up their place for newer ones where too many wait, the oldest first', async () => {
    const { enter, leave, what } = setUp(2);
    for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) enter('a', name);
    expect(await what()).toEqual(['first now', 'second never', 'third never']);
    expect(await leave('a')).toEqual(['fourth later']);
    expect(await leave('a')).toEqual(['fifth later']);
  });

  test('leave nothing behind', async () => {
    const { turns, enter, leave } = setUp(1);
    for (const name of ['first', 'second', 'third']) enter('a', name);
    await leave('a');
    await leave('a');
    expect(turns.size).toBe(0);
    enter('a', 'again');
    expect(await leave('a')).toEqual(['again now']);
  });
});
