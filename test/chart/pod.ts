import { type Manifest, pick } from './chart.ts'

type Probe = { readonly httpGet?: { readonly path: string; readonly port: string } }

export interface Container {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } }
  readonly resources?: { readonly requests?: object; readonly limits?: object }
  readonly volumeMounts?: readonly {
    readonly name: string
    readonly mountPath: string
    readonly subPath?: string
    readonly readOnly?: boolean
  }[]
}

export interface Volume {
  readonly name: string
  readonly secret?: {
    readonly secretName: string
    readonly defaultMode: number
    readonly items: readonly { readonly key: string; readonly path: string }[]
  }
  readonly persistentVolumeClaim?: { readonly claimName: string }
  readonly configMap?: { readonly name: string }
  readonly emptyDir?: object
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean
  readonly enableServiceLinks?: boolean
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes: readonly Volume[]
  readonly topologySpreadConstraints?: readonly {
    readonly topologyKey: string
    readonly labelSelector: { readonly matchLabels: object }
  }[]
}

export interface DeploymentSpec {
  readonly replicas?: number
  readonly strategy: { readonly type: string }
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
  readonly template: { readonly metadata: NonNullable<Manifest['metadata']>; readonly spec: PodSpec }
}

/** The objects passed `tools/validate` in another test, so their shape is the one of Kubernetes. */
export const getDeployment = (manifests: readonly Manifest[]): DeploymentSpec =>
  pick(manifests, 'Deployment').spec as DeploymentSpec

/** Every pod of a chart: the Deployment's, and the one of `helm test`. */
export const getPods = (manifests: readonly Manifest[]): PodSpec[] => [
  getDeployment(manifests).template.spec,
  ...manifests.filter(({ kind }) => kind === 'Pod').map(({ spec }) => spec as PodSpec),
]

/** @throws {Error} when the pod has no container of that name */
export function getContainer({ containers }: PodSpec, name: string): Container {
  const found = containers.find((container) => container.name === name)
  if (found === undefined) throw new Error(`no container ${name}`)
  return found
}

/** A ConfigMap's entries. */
export const getData = ({ data }: Manifest): Readonly<Record<string, string>> => (data ?? {}) as Record<string, string>

/** The variables that the service's container gets. @throws {Error} for a source that is not rendered */
export function getEnvironment(manifests: readonly Manifest[]): Record<string, string> {
  const { envFrom = [], env = [] } = getContainer(getDeployment(manifests).template.spec, 'bff')
  const maps = envFrom.map(({ configMapRef }) => getData(pick(manifests, 'ConfigMap', configMapRef?.name ?? '')))
  return Object.assign({}, ...maps, Object.fromEntries(env.map(({ name, value = '' }) => [name, value])))
}
