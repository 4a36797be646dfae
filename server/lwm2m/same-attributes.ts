import {
  type NotificationAttributes,
  notificationAttributeNames,
} from '../../protocol/lwm2m/notification-attributes.ts';

/** Whether both are the same attributes with the same values; none is the same as an empty set. */
export function sameAttributes(
  one: NotificationAttributes | undefined,
  other: NotificationAttributes | undefined,
): boolean {
  return notificationAttributeNames.every((name) => one?.[name] === other?.[name]);
}
