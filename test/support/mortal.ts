/** Something that can be killed, as a process is. */
export interface Mortal {
  isAlive(): boolean
  kill(): void
  /** Never answers, and does nothing, once killed: what it is asked does not leave, what it is answered does not arrive. */
  bind<T extends object>(target: T): T
}

export function createMortal(): Mortal {
  let alive = true
  return {
    isAlive: () => alive,
    kill: () => {
      alive = false
    },
    bind: (target) =>
      new Proxy(target, {
        get(_, name) {
          const member: unknown = Reflect.get(target, name)
          if (typeof member !== 'function') return member
          return (...parts: unknown[]): unknown => {
            if (!alive) return new Promise(() => {})
            const answer: unknown = Reflect.apply(member, target, parts)
            if (!(answer instanceof Promise)) return answer
            return answer.then(
              (value) => (alive ? value : new Promise(() => {})),
              (error) => {
                if (alive) throw error
                return new Promise(() => {})
              },
            )
          }
        },
      }),
  }
}
