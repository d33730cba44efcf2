import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Owner } from '../support/redis.ts'
import type { Engine } from './engine.ts'

/** Something in an image, by its path there. */
export interface Entry {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly isFile: boolean
}

/** The files of an image as they would be seen from inside. */
export interface Tree {
  readonly entries: readonly Entry[]
  read(path: string): Buffer
}

/** Mounts an image for as long as its owner lives. */
export async function openTree(owner: Owner, engine: Engine, image: string): Promise<Tree> {
  const root = await engine.podman(['image', 'mount', image])
  owner.after(async () => void (await engine.podman(['image', 'unmount', image])))
  const entries = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) => {
    const stat = lstatSync(join(root, path))
    return { path: `/${path}`, mode: stat.mode, uid: stat.uid, isFile: stat.isFile() }
  })
  return { entries, read: (path) => readFileSync(join(root, path)) }
}

interface Package {
  readonly path: string
  readonly name: string
  readonly version: string
}

interface LockEntry {
  readonly version?: string
  readonly dev?: boolean
  readonly optional?: boolean
  /** A folder of this repository, which only development uses as a package. */
  readonly link?: boolean
}

/**
 * What the lockfile has for production, and what only for development or one kind of machine.
 *
 * @param folder where it is
 */
export function readLockfile(folder: string): {
  readonly production: readonly Package[]
  readonly other: readonly Package[]
} {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>
  }
  const of = (isWanted: (entry: LockEntry) => boolean): Package[] =>
    Object.entries(packages)
      .filter(([path, entry]) => path.startsWith('node_modules/') && isWanted(entry)) // Not this project, nor a folder of it.
      .map(([path, { version = '' }]) => ({ path, name: path.replace(/^.*node_modules\//, ''), version }))
  const isExtra = ({ dev = false, optional = false, link = false }: LockEntry): boolean => dev || optional || link
  return { production: of((entry) => !isExtra(entry)), other: of(isExtra) }
}
