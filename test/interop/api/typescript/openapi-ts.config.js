/** Read by @hey-api/openapi-ts: the document beside this file becomes the client in `simyard`. */
export default {
  input: './openapi.json',
  output: { path: 'simyard', module: { extension: '.js' } },
  plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
};
