/** Between a number and its unit, and between groups of digits: U+202F, which does not break. */
export const thinSpace = '\u202f';

/** `12 345`: groups of three from five digits on (ISO 80000-1 §7.3.1). */
export function formatCount(count: number): string {
  const digits = String(Math.trunc(Math.abs(count)));
  const grouped = digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, thinSpace);
  return count < 0 ? `−${grouped}` : grouped;
}

/** A measured value with as many digits as its size deserves; a true minus sign. */
export function formatMeasure(value: number, significant = 5): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e9 || size < 1e-4)) {
    return value.toExponential(3).replace(/^-/, '−').replace('e-', 'e−').replace('e+', 'e');
  }
  const whole = size < 1 ? 1 : Math.floor(Math.log10(size)) + 1;
  return value.toFixed(Math.max(0, significant - whole)).replace(/^-/, '−');
}

/** How SenML units (RFC 8428 §12.1) and LwM2M's are written on a screen. */
export function displayUnit(unit: string | undefined): string {
  if (unit === undefined) return '';
  const shown: Readonly<Record<string, string>> = {
    Cel: '°C',
    'm/s2': 'm/s²',
    'm/s²': 'm/s²',
    'rad/s': 'rad/s',
    'deg/s': '°/s',
    '%RH': '% RH',
    '/100': '%',
    '/': '',
    m2: 'm²',
    m3: 'm³',
    Ohm: 'Ω',
  };
  return shown[unit] ?? unit;
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `52.4 MB`: powers of a thousand (ISO 80000-13), three digits. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)}${thinSpace}${byteUnits[unit]}`;
}

/** `1 instance`, `2 instances`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
