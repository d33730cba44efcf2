import { serveIdp } from './idp.ts'
import { serveBare, serveReplyFrom, serveTrivialAuth, serveUpstream } from './plain.ts'
import { serveService } from './service.ts'
import type { Served, Subject, Usage } from './subject.ts'

/** One server in a process of its own; see `startServer`, which speaks with it. */
function serve(subject: Subject): Promise<Served> {
  switch (subject.kind) {
    case 'bare':
      return serveBare()
    case 'trivial-auth':
      return serveTrivialAuth()
    case 'upstream':
      return serveUpstream()
    case 'reply-from':
      return serveReplyFrom(subject.upstream)
    case 'idp':
      return serveIdp()
    case 'service':
      return serveService(subject)
  }
}

const { count, ...ready } = await serve(JSON.parse(process.argv[2] ?? '') as Subject) // Written by `startServer`.
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  const usage: Usage = {
    cpuUs: user + system,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
    counts: count?.() ?? {},
  }
  process.send?.(usage)
})
process.on('disconnect', () => process.exit(0)) // However abruptly the bench ends.
process.send?.(ready)
