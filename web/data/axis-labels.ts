import { formatMeasure } from './numbers.ts';
import { clockTime, dayText } from './time.ts';
import type { TimeWindow } from './time-window.ts';

const day = 86_400_000;

/** The label of a tick of the time axis; `step`: between two ticks, ms. */
export function axisTime(time: number, step: number, { from, to }: TimeWindow): string {
  if (step < 1000)
    return `${clockTime(time).slice(3)}.${String(Math.round(time % 1000))
      .padStart(3, '0')
      .slice(0, step < 100 ? 3 : 1)}`;
  if (step < 60_000) return clockTime(time);
  const clock = clockTime(time).slice(0, 5);
  // Where more than one midnight is shown, that is where the day is told.
  return step >= day || (clock === '00:00' && to - from > day) ? dayText(time) : clock;
}

/** `−1.5e308`: there is no room for more beside a plot. */
function shortExponent(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(2).split('e+');
  return `${Number(mantissa)}e${exponent}`.replace(/^-/, '−');
}

/** The label of a tick of the value axis, beside the others. */
export function axisValue(value: number, splits: readonly number[]): string {
  const step = splits.length > 1 ? Math.abs((splits[1] as number) - (splits[0] as number)) : 1;
  if (Math.abs(value) >= 1e9 && Number.isFinite(value)) return shortExponent(value);
  if (Math.abs(value) >= 1e5 || (step < 1e-3 && step > 0)) return formatMeasure(value, 3);
  let digits = 0;
  while (digits < 6 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) digits++;
  return value
    .toFixed(digits)
    .replace(/^-(?=.*[1-9])/, '−')
    .replace(/^-/, '');
}
