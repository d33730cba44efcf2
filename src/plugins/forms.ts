import type { FastifyInstance } from 'fastify'
import { BffError } from '../errors.ts'

/** Lets the routes of this plugin take plain HTML forms. A field that is repeated would have two readings: refused. */
export function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      const form = new URLSearchParams(body)
      const names = [...form.keys()]
      if (new Set(names).size < names.length) return done(new BffError('invalid_request', 'a form field is repeated'))
      done(null, Object.fromEntries(form))
    },
  )
}
