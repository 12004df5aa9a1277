import { install, installBesideNest, installed, root, typeErrors, typescripts, versionOf } from './application.js'

/** TypeORM 1.x asks for no version. Its declarations use `export type *`, which TypeScript reads from 5.0 on. */
const compilers = [
  compiler('typescript-oldest', typescripts),
  compiler('typescript', root),
  compiler('typescript-newest', typescripts),
]

function compiler(name: string, project: string) {
  return { version: versionOf(name, project), path: installed(name, project) }
}

/** How an application may look for modules. All declarations are checked as Node finds them; elsewhere, that they are found. */
function resolutionsOf(version: string): [name: string, kinds: string[], resolution: object][] {
  const major = Number.parseInt(version, 10)
  return [
    ['node16', ['mts', 'cts'], { module: 'node16' }],
    ['nodenext', ['mts', 'cts'], { module: 'nodenext', skipLibCheck: true }],
    ['bundler', ['ts'], { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true }],
    // TypeScript 6 warns of it, and 7 does not have it any more.
    ...(major < 7 ? [node10(major)] : []),
  ]
}

function node10(major: number): [name: string, kinds: string[], resolution: object] {
  const deprecation = major === 6 ? { ignoreDeprecations: '6.0' } : {}
  return ['node10', ['ts'], { module: 'commonjs', moduleResolution: 'node10', skipLibCheck: true, ...deprecation }]
}

describe.each(compilers)('TypeScript $version', ({ version, path }) => {
  const resolutions = resolutionsOf(version)

  describe('beside TypeORM 1.x and Nest', () => {
    let application: string

    beforeAll(() => {
      application = installBesideNest(`${version} 1.x`, root)
    })

    test.each(resolutions)('checks a service that resolves modules as %s', (_name, kinds, resolution) => {
      const files = kinds.flatMap((kind) => [`typed.${kind}`, `service.${kind}`])
      expect(typeErrors(application, files, resolution, path)).toBe('')
    })
  })

  describe('beside TypeORM 0.3', () => {
    let application: string

    beforeAll(() => {
      application = install(`${version} 0.3`, { typeorm: installed('typeorm-0.3') })
    })

    test.each(resolutions)('checks an application that resolves modules as %s', (_name, kinds, resolution) => {
      const files = kinds.map((kind) => `typed.${kind}`)
      expect(typeErrors(application, files, resolution, path)).toBe('')
    })
  })
})
