import { defineConfig } from 'vite'

/** Where oten-bff listens. Browsers reach it through this server: one origin, `PUBLIC_URL=http://localhost:5173`. */
const service = process.env.BFF_URL ?? 'http://localhost:8080'

const server = { port: 5173, strictPort: true, proxy: { '/auth': service, '/api': { target: service, ws: true } } }

export default defineConfig({ server, preview: server })
