import base from '../../jest.config.mjs'

const [{ transform }] = base.projects

/** What the documentation shows, compiled against the sources and run against the built package: `npm run test:docs`. */
export default {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform,
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testTimeout: 120_000,
}
