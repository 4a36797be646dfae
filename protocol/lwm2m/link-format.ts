/** One link of a CoRE link-format document (RFC 6690 §2). */
export interface Link {
  /** Between `<` and `>`. */
  readonly target: string;
  /** Without quotes; an attribute without a value has an empty one. A repeated attribute keeps its first value. */
  readonly attributes: Readonly<Record<string, string>>;
}
