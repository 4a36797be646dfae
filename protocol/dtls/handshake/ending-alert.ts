import { AlertDescription, AlertLevel, alertName, decodeAlert } from '../messages/alert.ts';
import { wellFormed } from '../messages/well-formed.ts';

/** The name of an alert after which a handshake is over; undefined for a warning, and for what is no alert. */
export function endingAlert(content: Uint8Array): string | undefined {
  const alert = wellFormed(() => decodeAlert(content));
  if (alert === undefined) return undefined;
  const ends = alert.level === AlertLevel.FATAL || alert.description === AlertDescription.CLOSE_NOTIFY;
  return ends ? alertName(alert.description) : undefined;
}
