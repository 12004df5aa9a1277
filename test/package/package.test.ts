import { install, installed, packed, root, run } from './application.js'

test('the tarball holds what users need and nothing else', () => {
  const isNeeded = (path: string) => /^dist\/(esm|cjs)\/[\w/-]+\.(js|d\.ts)$/.test(path)
  expect(packed.files.filter((path) => !isNeeded(path)).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist/cjs/package.json',
    'package.json',
  ])
})

test('installing it brings no other package and runs no script', () => {
  const { dependencies, bundleDependencies, scripts } = JSON.parse(
    run(root, 'tar', '-xOf', packed.tarball, 'package/package.json'),
  )
  expect({ dependencies, bundleDependencies }).toEqual({})
  expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([])
})

describe.each(['typeorm', 'typeorm-0.3'])('beside %s', (typeorm) => {
  let application: string

  beforeAll(() => {
    application = install(typeorm, { typeorm: installed(typeorm) })
  })

  const whatAUserSees = {
    created: true,
    createdAgain: false,
    found: 'Ada',
    creators: 1,
    childCreated: true,
    refusal: 'InvalidCriteriaError',
  }

  test('it runs as an ES module', () => {
    expect(JSON.parse(run(application, 'node', 'as-es-module.mjs'))).toMatchObject(whatAUserSees)
  })

  test('it runs as CommonJS', () => {
    expect(JSON.parse(run(application, 'node', 'as-commonjs.cjs'))).toMatchObject(whatAUserSees)
  })

  test('both give the same names', () => {
    const [asModule, asCommonJs] = ['as-es-module.mjs', 'as-commonjs.cjs'].map((file) =>
      JSON.parse(run(application, 'node', file)),
    )
    expect(asModule.names).toEqual(asCommonJs.names)
  })
})
