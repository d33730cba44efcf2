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

# Without `optional`: those packages are the Node runtimes for `npm ci` on a developer's machine. A registry of one's own
# comes as a secret, which is there for this one command: --secret id=npmrc,src=$HOME/.npmrc (and id=ca for its CA file).
# What only developers read goes (half of the size, and keys that packages test with), and so does npm's own list, which
# would tell the registry.
FROM manifest AS dependencies
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
    npm ci --omit=dev --omit=optional \
 && rm -rf node_modules/.bin node_modules/.package-lock.json \
 && find node_modules -type d '(' -name test -o -name tests -o -name integration -o -name docs -o -name examples \
      -o -name benchmark -o -name benchmarks -o -name .github -o -name .husky ')' -prune -exec rm -rf '{}' + \
 && find node_modules -type f '(' -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name test.js \
      -o -name '*.test.js' ')' -delete

# `./data`, where SESSION_STORE has its file by default, is the volume. With whatever umask the files were checked out,
# every user can read them, and only root could change them.
FROM manifest AS files
COPY openapi.yaml LICENSE* ./
COPY src src
RUN rm package-lock.json .npmrc && mkdir /data && ln -s /data data && chmod -R u=rwX,go=rX .

# What Node makes of the sources at every start is made once: a third less time and 20 MB less memory. Node looks for it
# by user id; under another one than that of the service below it is not found, and not missed. And the build fails here
# when a file or a package cannot be loaded without what was left out above.
FROM files AS compiled
COPY --from=dependencies /app/node_modules node_modules
USER 65532:65532
ENV NODE_COMPILE_CACHE=/tmp/compiled
RUN node --input-type=module --eval "import fs from 'node:fs'; \
      const { dependencies } = JSON.parse(fs.readFileSync('package.json')); \
      for (const name of [...Object.keys(dependencies), ...fs.globSync('/app/src/**/*.ts')]) await import(name)" \
 && chmod -R u=rwX,go=rX /tmp/compiled

FROM manifest AS demo
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca npm ci --omit=optional
COPY openapi.yaml ./
COPY src src
COPY demo demo
RUN chmod -R u=rwX,go=rX package.json openapi.yaml src demo
USER 65532:65532
ENTRYPOINT ["node"]
CMD ["demo/start.ts"]

FROM ${RUN_BASE} AS service
COPY --from=manifest /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=files /app ./
COPY --from=compiled --chown=0:0 /tmp/compiled .compiled
ENV NODE_COMPILE_CACHE=/app/.compiled
COPY --from=files --chown=65532:65532 /data /data
VOLUME /data
# A number, so that a platform can tell that it is not root.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["node", "src/cli/healthcheck.ts"]
ENTRYPOINT ["node"]
CMD ["src/main.ts"]

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="oten-bff" \
      org.opencontainers.image.description="Backend-for-frontend for Oten IDP: login for single-page and mobile apps, with every secret on the server" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
