import { describe, expect, it } from 'vitest';
import { axisTime } from '../../../web/data/axis-labels.ts';
import { csvField, csvLine } from '../../../web/data/csv.ts';
import { comparePaths, pathName, valueText } from '../../../web/data/last-values.ts';
import { displayUnit, formatBytes, formatCount, formatMeasure } from '../../../web/data/numbers.ts';
import { formatSignal, signalIsOld, signalMeaning } from '../../../web/data/signal.ts';
import {
  dayText,
  durationText,
  exactTime,
  freshness,
  isoMicroseconds,
  momentText,
  relativeTime,
} from '../../../web/data/time.ts';

/** Thin spaces made visible. */
const plain = (text: string) => text.replaceAll('\u202f', ' ');
const noon = Date.UTC(2026, 5, 1, 12, 0, 0, 42);

describe('relativeTime', () => {
  it.each([
    [0, 'now'],
    [999, 'now'],
    [1000, '1 s ago'],
    [59_999, '59 s ago'],
    [60_000, '1 min ago'],
    [3_600_000, '1 h ago'],
    [47 * 3_600_000, '47 h ago'],
    [48 * 3_600_000, '2 d ago'],
    [-90_000, 'in 1 min'],
  ])('tells a moment %i ms ago as %s', (age, text) => {
    expect(plain(relativeTime(noon - age, noon))).toBe(text);
  });
});

describe('durationText', () => {
  it.each([
    [-5, '0 s'],
    [250, '250 ms'],
    [12_000, '12 s'],
    [86_399_000, '23 h 59 min'],
    [86_400_000, '1 d'],
    [600_000, '10 min'],
    [90_061_000, '1 d 1 h'],
    [3_601_000, '1 h'],
  ])('tells %i ms as %s', (duration, text) => {
    expect(plain(durationText(duration))).toBe(text);
  });
});

describe('exactTime', () => {
  it('gives the time of the reader and UTC', () => {
    expect(exactTime(noon, 'America/New_York')).toBe(
      '2026-06-01 08:00:00.042 EDT\n2026-06-01 12:00:00.042 UTC',
    );
  });

  it('says UTC once to a reader who lives by it', () => {
    expect(exactTime(noon, 'UTC')).toBe('2026-06-01 12:00:00.042 UTC');
  });

  it('begins the day at 00 and not at 24', () => {
    expect(exactTime(Date.UTC(2026, 0, 1), 'UTC')).toContain('00:00:00.000');
  });
});

describe('isoMicroseconds', () => {
  it.each([
    [noon, '2026-06-01T12:00:00.042000Z'],
    [noon + 0.125, '2026-06-01T12:00:00.042125Z'],
    [noon + 0.9999, '2026-06-01T12:00:00.043000Z'],
    [-0.5, '1969-12-31T23:59:59.999500Z'],
  ])('gives %f as %s', (time, text) => {
    expect(isoMicroseconds(time)).toBe(text);
  });
});

describe('momentText', () => {
  it('tells the day where it is another one, in the zone of the reader', () => {
    const at = Date.UTC(2026, 10, 28, 23, 30, 5);
    expect(momentText(at, at + 1_800_000, 'UTC')).toBe('28 Nov 23:30:05');
    expect(momentText(at, at + 1_000, 'UTC')).toBe('23:30:05');
    expect(momentText(at, at + 1_800_000, 'Asia/Tokyo')).toBe('08:30:05');
    expect(dayText(at, 'Asia/Tokyo')).toBe('29 Nov');
  });
});

describe('axis labels', () => {
  const midnight = new Date(2026, 10, 28).getTime();

  it('tell the day at midnight where several are shown, and the time elsewhere', () => {
    const week = { from: midnight - 3 * 86_400_000, to: midnight + 3 * 86_400_000 };
    expect(axisTime(midnight, 43_200_000, week)).toBe('28 Nov');
    expect(axisTime(midnight + 43_200_000, 43_200_000, week)).toBe('12:00');
    expect(axisTime(midnight, 86_400_000, week)).toBe('28 Nov');
    expect(axisTime(midnight, 3_600_000, { from: midnight - 60_000, to: midnight + 60_000 })).toBe('00:00');
    expect(axisTime(midnight + 61_000, 1000, week)).toBe('00:01:01');
  });
});

describe('freshness', () => {
  it('fades with age', () => {
    expect([0, 15_000, 120_000].map((age) => freshness(noon - age, noon))).toEqual([
      'fresh',
      'aging',
      'stale',
    ]);
  });
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [9999, '9999'],
    [12_345, '12 345'],
    [1_234_567, '1 234 567'],
    [-12_345, '−12 345'],
  ])('groups the count %i as %s', (count, text) => {
    expect(plain(formatCount(count))).toBe(text);
  });

  it.each([
    [9.80665, '9.8066'],
    [-0.5, '−0.5000'],
    [0, '0.0000'],
    [123_456.7, '123457'],
    [1.5e-7, '1.500e−7'],
    [-2e12, '−2.000e12'],
    [Number.NaN, 'not a number'],
    [Number.NEGATIVE_INFINITY, '−∞'],
  ])('writes the measure %d as %s', (value, text) => {
    expect(formatMeasure(value)).toBe(text);
  });

  it('writes units as people do', () => {
    expect(['Cel', 'm/s2', 'rad/s', undefined, 'widgets'].map(displayUnit)).toEqual([
      '°C',
      'm/s²',
      'rad/s',
      '',
      'widgets',
    ]);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [9_994_999, '9.99 MB'],
    [9_999_000, '10.0 MB'],
    [52_428_800, '52.4 MB'],
    [214_958_080, '215 MB'],
    [999_600, '1.00 MB'],
    [5e15, '5000 TB'],
  ])('writes %i bytes as %s', (bytes, text) => {
    expect(plain(formatBytes(bytes))).toBe(text);
  });
});

describe('signal', () => {
  it.each([
    [-60, 4, 'good'],
    [-80, 4, 'good'],
    [-81, 3, 'fair'],
    [-100, 2, 'weak'],
    [-110, 1, 'poor'],
  ])('%i dBm are %i bars and %s', (dBm, bars, word) => {
    expect(signalMeaning(dBm)).toEqual({ bars, word });
  });

  it('writes dBm with a minus sign', () => {
    expect(plain(formatSignal(-83.6))).toBe('−84 dBm');
  });
});

describe('csv', () => {
  it('quotes what needs it', () => {
    expect(csvLine(['a', 'b,c', 'say "x"', 'two\nlines', -1.5])).toBe(
      'a,"b,c","say ""x""","two\nlines",-1.5\r\n',
    );
  });

  it('keeps a text a text that a spreadsheet would run', () => {
    expect(csvField('=HYPERLINK("http://x")')).toBe('"\'=HYPERLINK(""http://x"")"');
    expect(csvField('-cmd')).toBe("'-cmd");
    expect(csvField(-5)).toBe('-5');
    // Numbers that JSON carries as texts.
    expect(csvField('-9223372036854775808')).toBe('-9223372036854775808');
    expect(csvField('-Infinity')).toBe('-Infinity');
    expect(csvField('-1+1')).toBe("'-1+1");
  });
});

describe('values', () => {
  it('orders paths by number', () => {
    expect(['/42770/10/2', '/3/0/9', '/42770/2/2', '/3/0/11/0', '/3/0/11'].sort(comparePaths)).toEqual([
      '/3/0/9',
      '/3/0/11',
      '/3/0/11/0',
      '/42770/2/2',
      '/42770/10/2',
    ]);
  });

  it('names paths after the object definitions', () => {
    expect(pathName('/3/0/9')).toEqual({ object: 'Device', resource: 'Battery Level' });
    expect(pathName('/31000/0/1')).toEqual({ object: 'Object 31000', resource: 'Resource 1' });
  });

  it('tells values with unit, meaning and time', () => {
    expect(plain(valueText('/3/0/9', 80))).toBe('80 %');
    expect(valueText('/42769/0/4', 1)).toBe('Switching (1)');
    expect(valueText('/3/0/13', 1_780_000_000)).toBe('2026-05-28T20:26:40Z');
    expect(plain(valueText('/42770/0/2', 9.80665, 'm/s2'))).toBe('9.8066 m/s²');
    expect(valueText('/3/0/0', '')).toBe('(empty)');
    expect(valueText('/42769/0/7', '8901410036027529766')).toBe('8901 4100 3602 7529 766');
    expect(valueText('/42769/0/8', '310410602752976')).toBe('310 410 602752976');
    expect(valueText('/1/0/6', true)).toBe('yes');
  });
});

describe('signalIsOld', () => {
  it.each([
    ['awake', 'AT&T', false],
    ['awake', undefined, false],
    ['awake', '', true],
    ['lost', 'AT&T', true],
  ] as const)('of a device that is %s, on carrier %j: %s', (state, carrier, old) => {
    expect(signalIsOld({ state, ...(carrier !== undefined && { carrier }) })).toBe(old);
  });
});
