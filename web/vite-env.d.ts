/** A style sheet as text, for an element's own shadow root. */
declare module '*.css?inline' {
  const text: string;
  export default text;
}
