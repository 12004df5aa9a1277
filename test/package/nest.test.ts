import { join } from 'node:path'
import { installBesideNest, installed, root, run, typeErrors, typescripts, versionOf } from './application.js'

const newest = installed('typescript-newest', typescripts)

const projects: [nest: string, project: string][] = [
  ['10', join(root, 'test/nestjs/nest-10')],
  ['11', root],
  ['12', join(root, 'test/nestjs/nest-12')],
]

describe.each(projects)('a service on Nest %s', (version, project) => {
  let application: string
  let errors: string

  beforeAll(() => {
    application = installBesideNest(version, project)
    const resolution = { module: 'nodenext', outDir: 'built' }
    errors = typeErrors(application, ['service.mts', 'service.cts'], resolution, newest)
  })

  test('is type-checked, as an ES module and as CommonJS', () => {
    expect(errors).toBe('')
  })

  test.each(['mjs', 'cjs'])('survives 100 requests at once as .%s', (kind) => {
    const seen = JSON.parse(run(application, 'node', `built/service.${kind}`))
    expect(seen).toEqual({ statuses: [201], creators: 1, rows: 1 })
    expect(versionOf('@nestjs/core', application).split('.')[0]).toBe(version)
  })
})
