/** What a reader is to confirm. */
export interface Confirmation {
  /** `Reboot modem-1?` */
  readonly title: string;
  /** What it does, in a sentence or two. */
  readonly effect: string;
  /** Of the button: `Reboot`. */
  readonly verb: string;
  /** To be typed before it can be done: of what cannot be undone. */
  readonly typed?: string;
}
