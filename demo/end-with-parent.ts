import { rmSync } from 'node:fs'

/**
 * Loaded before the service that the demo starts. The demo holds the other end of this process's standard input: when the
 * demo is gone, however abruptly, the service stops too, and tidies up in its place.
 */
process.stdin.on('end', () => {
  const folder = process.env.DEMO_FOLDER
  if (folder !== undefined) process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  process.kill(process.pid, 'SIGTERM')
})
process.stdin.resume()
