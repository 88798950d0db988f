# The worker: `docker build -t sluice-worker .`
# This image was never built or run in this project's CI, which has no container engine.
FROM node:22-slim AS build
WORKDIR /sluice
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/setup scripts/setup
COPY src src
COPY workflows workflows
COPY activities activities
COPY emulators emulators
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json \
  && node scripts/setup/bundle.mjs dist/workflows/index.js dist/workflow-bundle.js \
  && node scripts/setup/bundle.mjs dist/workflows/index.js dist/workflow-bundle-encrypted.js dist/src/codec/failure-converter.cjs \
  && npm prune --omit=dev --ignore-scripts

FROM node:22-slim
ENV NODE_ENV=production
# The slim image has no certificate authorities, and Temporal's and AWS's ends are TLS.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /sluice
COPY --from=build /sluice/node_modules node_modules
COPY --from=build /sluice/dist dist
COPY package.json ./
COPY bin bin
COPY schema schema
COPY page page
USER node
# Code comes from the artifact store that SLUICE_STORE names; the process packs nothing and keeps nothing of its own.
# SIGTERM drains: give it 40 s before it is killed.
CMD ["node", "--enable-source-maps", "dist/src/worker/main.js"]
