import { createKeyShare, isNamedGroup, type KeyShare, NamedGroup, namedGroups } from '../crypto/ecdhe.ts';
import { HandshakeError } from '../errors.ts';
import { AlertDescription } from '../messages/alert.ts';
import { UNCOMPRESSED_POINT } from '../messages/constants.ts';
import type { HelloExtensions } from '../messages/hello-extensions.ts';
import type { EcdhParameters } from '../messages/key-exchange-messages.ts';

/**
 * The best group that both have; undefined where there is none, or where the client takes no uncompressed points.
 * A client that names no groups takes any (RFC 8422 §4): secp256r1 then.
 */
export function chooseGroup(extensions: HelloExtensions): NamedGroup | undefined {
  const { supportedGroups, ecPointFormats } = extensions;
  if (ecPointFormats !== undefined && !ecPointFormats.includes(UNCOMPRESSED_POINT)) return undefined;
  if (supportedGroups === undefined) return NamedGroup.SECP256R1;
  return namedGroups.find((group) => supportedGroups.includes(group));
}

/** What a server says of elliptic curves in its hello (RFC 8422 §5.2). */
export function pointFormatAnswer({ ecPointFormats }: HelloExtensions): HelloExtensions {
  return ecPointFormats === undefined ? {} : { ecPointFormats: [UNCOMPRESSED_POINT] };
}

/** What a client says of them. */
export const groupOffer: HelloExtensions = {
  supportedGroups: namedGroups,
  ecPointFormats: [UNCOMPRESSED_POINT],
};

/** A client's key pair for what the server has chosen, and the secret of both. @throws HandshakeError, DecodeError */
export function answerKeyShare({ group, publicKey }: EcdhParameters): {
  readonly share: KeyShare;
  readonly secret: Uint8Array;
} {
  if (!isNamedGroup(group)) {
    throw new HandshakeError(
      'malformed',
      AlertDescription.ILLEGAL_PARAMETER,
      `group ${group} was not offered`,
    );
  }
  const share = createKeyShare(group);
  return { share, secret: share.secret(publicKey) };
}
