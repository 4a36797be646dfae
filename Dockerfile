# One image for both: the server is its command, and a modem is `node client/main.ts`.
FROM node:24-bookworm-slim AS build
WORKDIR /simyard
COPY package.json package-lock.json .npmrc ./
# The base image brings Node; no install script has to run.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY protocol protocol
COPY objects objects
COPY redis redis
COPY server server
COPY web web
RUN node node_modules/vite/bin/vite.js build web

FROM node:24-bookworm-slim
WORKDIR /simyard
ENV NODE_ENV=production
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY protocol protocol
COPY objects objects
COPY redis redis
COPY server server
COPY client client
COPY --from=build /simyard/web/dist web/dist
RUN mkdir data && chown node:node data
USER node
VOLUME /simyard/data
EXPOSE 8080/tcp 5683/udp 5684/udp 5685/udp
CMD ["node", "--disable-warning=ExperimentalWarning", "server/main.ts"]
