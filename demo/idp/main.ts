import { DEFAULT_BFF_URLS, presetClients } from './presets.ts'
import { type ClientSpec, type Simulator, startSimulator } from './simulator.ts'

interface Settings {
  readonly port: number
  readonly host: string
  readonly bffUrls: readonly string[]
  readonly control: boolean
}

function readSettings(env: NodeJS.ProcessEnv): Settings {
  const port = env.SIMULATOR_PORT || '3001'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error('SIMULATOR_PORT must be a port number')
  const control = env.SIMULATOR_CONTROL || 'false'
  if (control !== 'true' && control !== 'false') throw new Error('SIMULATOR_CONTROL must be true or false')
  const bffUrls = env.SIMULATOR_BFF_URLS ? env.SIMULATOR_BFF_URLS.split(',') : DEFAULT_BFF_URLS
  for (const url of bffUrls) {
    if (!/^https?:\/\/[^/]+$/.test(url)) throw new Error('SIMULATOR_BFF_URLS must be origins, separated by commas')
  }
  return { port: Number(port), host: env.SIMULATOR_HOST || '127.0.0.1', bffUrls, control: control === 'true' }
}

function describe(client: ClientSpec, { issuer }: Simulator, publicUrl: string): string {
  const isHs256 = client.requestObjectAlg === 'HS256'
  const keys = isHs256 ? [] : [`JAR_KEYS=…  (made by npm run keys -- generate, read from ${client.jwksUri})`]
  const lines = [
    `PUBLIC_URL=${publicUrl}`,
    `OTEN_ISSUER=${issuer}`,
    'ALLOW_INSECURE_ISSUER=true',
    `OTEN_CLIENT_ID=${client.clientId}`,
    `OTEN_CLIENT_SECRET=${client.clientSecret}`,
    `JAR_ALG=${client.requestObjectAlg}`,
    ...keys,
  ]
  return [`client ${client.clientId}, for a service with`, ...lines.map((line) => `  ${line}`)].join('\n')
}

async function main(): Promise<void> {
  const { port, host, bffUrls, control } = readSettings(process.env)
  const clients = presetClients(bffUrls)
  const simulator = await startSimulator({ port, host, clients, control, log: (line) => console.log(line) })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0))

  console.log(clients.map((client) => describe(client, simulator, bffUrls[0] ?? '')).join('\n\n'))
  console.log(`\nredirect URIs: ${clients[0]?.redirectUris.join(' ')}  (origins from SIMULATOR_BFF_URLS)`)
  if (control) console.log(`control: ${simulator.issuer}/control/ is open (SIMULATOR_CONTROL=true)`)
  console.log(`simulator ready: ${simulator.issuer}`)
}

main().catch((cause: NodeJS.ErrnoException) => {
  const isTaken = cause.code === 'EADDRINUSE'
  const taken = `port ${process.env.SIMULATOR_PORT || 3001} is taken; choose another one with SIMULATOR_PORT`
  console.error(`simulator: ${isTaken ? taken : cause.message}`)
  process.exit(1)
})
