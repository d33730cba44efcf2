import { build } from 'esbuild'

// `npm run bundle -- [FOLDER]`: the service and its command line in a few JavaScript files that need no package beside them.
// Node starts them in half the time of the sources (a thousand files are not looked for, no type is stripped), with 40 MB
// less memory; `npm run bench` has the figures. The image is made of them; everything else runs the sources as they are.

/** Two folders deep below what the service reads at start (`openapi.yaml`), as `src/routes/` is. */
const FOLDER = 'dist/bff'

const ENTRIES = ['src/main.ts', 'src/cli/doctor.ts', 'src/cli/healthcheck.ts', 'src/cli/keys.ts'] as const

/** What the CommonJS packages among the dependencies expect to find, and ES modules do not have. */
const COMMONJS = [
  "import { createRequire as createRequireOfBundle } from 'node:module'",
  'const require = createRequireOfBundle(import.meta.url)',
  'const { filename: __filename, dirname: __dirname } = import.meta',
].join('\n')

await build({
  entryPoints: [...ENTRIES],
  outdir: process.argv[2] ?? FOLDER,
  entryNames: '[name]',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true, // What is only loaded when configured (Redis, tracing) stays apart, as in the sources.
  platform: 'node',
  format: 'esm',
  target: 'node24',
  banner: { js: COMMONJS },
  // Not minified, nothing renamed: whoever audits it can read it, and a stack trace says the function and, above it, the file.
  minify: false,
  keepNames: false,
  legalComments: 'inline',
  logLevel: 'warning',
})
