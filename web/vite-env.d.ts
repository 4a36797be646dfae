/** A style sheet as text, for an element's own shadow root. */
declare module '*.css?inline' {
  const text: string;
  export default text;
}

/** The address of a module that is built to run as a shared worker. */
declare module '*?sharedworker&url' {
  const url: string;
  export default url;
}
