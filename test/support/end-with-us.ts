import { type ChildProcess, spawn } from 'node:child_process'

/** However abruptly this process ends, the child does too: then this process's end of the pipe closes. */
export function endWithUs(child: ChildProcess): void {
  if (child.pid === undefined) return
  const watch = ['-c', 'cat >/dev/null; kill -KILL "$1"', 'sh', `${child.pid}`]
  const watchdog = spawn('sh', watch, { stdio: ['pipe', 'ignore', 'ignore'] })
  child.once('exit', () => watchdog.kill('SIGKILL'))
}
