# The image of oten-bff; docs/image.md says how to build and run it. The last stage, `service`, is what a plain
# `docker build .` makes; `--target demo` makes the offline demo of compose.yaml.

# Both can be pinned: --build-arg BUILD_BASE=docker.io/library/node@sha256:…
# The Node of the first, which is the one that the tests run on, is the Node of the service. The second brings what that
# needs (glibc, libstdc++, CA certificates) and no shell, no package manager, no other program: whoever makes the service
# do something has nothing there to do it with, and scanners have little to report.
ARG BUILD_BASE=docker.io/library/node:24.21.0-bookworm-slim
ARG RUN_BASE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_BASE} AS manifest
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client/package.json client/

# A registry of one's own comes as a secret, which is there for this one command: --secret id=npmrc,src=$HOME/.npmrc (and
# id=ca for its CA file).
FROM manifest AS bundle
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca npm ci
COPY build build
COPY src src
RUN node build/bundle.ts dist/bff

# What is left of the packages is what says which they are, for scanners, and under which licence: their code is in the
# bundle. Without `optional`: those are Node runtimes for `npm ci` on a developer's machine.
FROM manifest AS packages
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
    npm ci --omit=dev --omit=optional \
 && rm -rf node_modules/.bin node_modules/.package-lock.json \
 && find node_modules -type d '(' -name test -o -name tests ')' -prune -exec rm -rf '{}' + \
 && find node_modules -type f ! -name package.json ! -iname 'licen[sc]e*' ! -iname 'notice*' -delete \
 && find node_modules -depth -type d -empty -delete

# `./data`, where SESSION_STORE has its file by default, is the volume. With whatever umask the files were checked out,
# every user can read them, and only root could change them.
FROM manifest AS files
COPY openapi.yaml LICENSE* ./
COPY client/dist/client.js client/dist/
COPY --from=packages /app/node_modules node_modules
COPY --from=bundle /app/dist dist
RUN rm package-lock.json .npmrc client/package.json && mkdir /data && ln -s /data data && chmod -R u=rwX,go=rX .

FROM manifest AS demo
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca npm ci --omit=optional
COPY openapi.yaml ./
COPY client client
COPY src src
COPY demo demo
RUN chmod -R u=rwX,go=rX package.json openapi.yaml client src demo
USER 65532:65532
ENTRYPOINT ["node"]
CMD ["demo/start.ts"]

FROM ${RUN_BASE} AS service
COPY --from=manifest /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=files /app ./
COPY --from=files --chown=65532:65532 /data /data
VOLUME /data
# A number, so that a platform can tell that it is not root.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["node", "dist/bff/healthcheck.mjs"]
ENTRYPOINT ["node"]
CMD ["dist/bff/main.mjs"]

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="oten-bff" \
      org.opencontainers.image.description="Backend-for-frontend for Oten IDP: login for single-page and mobile apps, with every secret on the server" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
